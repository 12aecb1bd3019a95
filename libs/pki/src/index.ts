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
export type { CertificateProfile } from './certificate-extensions.ts';
export { parseCertificate, type CertificateFacts } from './certificate.ts';
export { certificationRequest } from './certification-request.ts';
export type { DistinguishedName } from './distinguished-name.ts';
export { issueCaCertificate, issueSigningCertificate } from './issue-certificate.ts';
export { encodePem, parsePem, type PemLabel } from './pem.ts';
export { randomSerialNumber } from './serial-number.ts';
export type { Validity } from './validity.ts';
export { checkCertificateChain, type ChainFacts } from './certificate-chain.ts';
