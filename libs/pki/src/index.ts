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
