export {
  algorithmFacts,
  keyAlgorithms,
  parseKeyAlgorithm,
  type AlgorithmFacts,
  type KeyAlgorithm,
  type SigningDigest,
} from './algorithm.ts';
export { ecdsaSignatureDer } from './ecdsa-signature.ts';
export { PkiError, type PkiErrorCode } from './error.ts';
export { keyAlgorithmOf, verifyWithPublicKey } from './public-key.ts';
export { softwareSigner, type Signer } from './signer.ts';
export {
  parseSignedData,
  type ParsedSignedData,
  type SignerIdentifier,
} from './parse-signed-data.ts';
export type { ParsedSignedAttributes, SigningCertificateHash } from './parse-signed-attributes.ts';
export type { VerifiedDigest } from './signature-algorithm.ts';
export { signedAttributes } from './signed-attributes.ts';
export { signedData, signedDataSizeLimit, type SignedDataOptions } from './signed-data.ts';
export {
  verifySignedData,
  type SignedDataFinding,
  type SignedDataVerdict,
} from './verify-signed-data.ts';
