import { createPublicKey, sign, type KeyObject } from 'node:crypto';

import { algorithmFacts, type KeyAlgorithm } from './algorithm.ts';
import { keyAlgorithmOf } from './public-key.ts';

/**
 * Somebody who can sign with one private key: an HSM session holding it, or software. What is
 * above this port never learns which.
 */
export interface Signer {
  readonly algorithm: KeyAlgorithm;
  /** DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
  readonly publicKey: Uint8Array;
  /**
   * Hashes `message` with the algorithm's digest and signs. Returns the form that X.509 and CMS
   * carry: for RSA the signature octets, for ECDSA a DER Ecdsa-Sig-Value (RFC 3279 section 2.2.3).
   */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/**
 * A signer over a private key held in this process, for tests and test PKIs.
 *
 * @throws PkiError `algorithm_unsupported` if the key is of no {@link KeyAlgorithm}.
 */
export function softwareSigner(privateKey: KeyObject): Signer {
  const publicKey = new Uint8Array(
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  );
  const algorithm = keyAlgorithmOf(publicKey);
  const { digest } = algorithmFacts[algorithm];
  return {
    algorithm,
    publicKey,
    sign: (message) =>
      new Promise((resolve, reject) => {
        sign(digest, message, { key: privateKey, dsaEncoding: 'der' }, (error, signature) => {
          if (error === null) resolve(new Uint8Array(signature));
          else reject(error);
        });
      }),
  };
}
