import { createPublicKey, verify, type KeyObject } from 'node:crypto';

import { algorithmFacts, keyAlgorithms, type KeyAlgorithm } from './algorithm.ts';
import { assertDer } from './der-reader.ts';
import { PkiError } from './error.ts';
import { memoizeBytes } from './memo.ts';

/** Decoding takes OpenSSL 3 more time than verifying with the key, so recent keys are remembered. */
const rememberedKeys = 1024;

/**
 * Reads a DER SubjectPublicKeyInfo of any kind that OpenSSL knows.
 *
 * @throws PkiError `public_key_malformed`.
 */
export const parsePublicKey: (publicKey: Uint8Array) => KeyObject = memoizeBytes(
  rememberedKeys,
  (publicKey: Uint8Array) => {
    try {
      assertDer(publicKey);
      return createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    } catch (cause) {
      throw new PkiError('public_key_malformed', 'not a DER SubjectPublicKeyInfo', { cause });
    }
  },
);

/** The table's row for a key, or undefined if the key is of a kind or size that we do not sign with. */
export function findKeyAlgorithm(key: KeyObject): KeyAlgorithm | undefined {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  return keyAlgorithms.find((name) => {
    const facts = algorithmFacts[name];
    return (
      key.asymmetricKeyType === facts.kind &&
      (facts.kind === 'rsa'
        ? modulusLength === facts.modulusBits
        : namedCurve === facts.opensslCurve)
    );
  });
}

/**
 * The algorithm of a DER SubjectPublicKeyInfo.
 *
 * @throws PkiError `public_key_malformed`, `algorithm_unsupported`.
 */
export function keyAlgorithmOf(publicKey: Uint8Array): KeyAlgorithm {
  const algorithm = findKeyAlgorithm(parsePublicKey(publicKey));
  if (algorithm === undefined)
    throw new PkiError(
      'algorithm_unsupported',
      'the public key has an unsupported algorithm or size',
    );
  return algorithm;
}

/**
 * Whether `signature`, in the form that a Signer returns, is over `message` by `publicKey` (DER
 * SubjectPublicKeyInfo). A key of another algorithm than `algorithm` verifies nothing.
 *
 * @throws PkiError `public_key_malformed`.
 */
export function verifyWithPublicKey(o: {
  readonly algorithm: KeyAlgorithm;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}): boolean {
  const key = parsePublicKey(o.publicKey);
  if (findKeyAlgorithm(key) !== o.algorithm) return false;
  const { digest } = algorithmFacts[o.algorithm];
  return verify(digest, o.message, { key, dsaEncoding: 'der' }, o.signature);
}
