import { derTag, element, unsignedInteger } from './der.ts';
import { PkiError } from './error.ts';

/**
 * DER Ecdsa-Sig-Value (RFC 3279 section 2.2.3) from the fixed-length r ‖ s that PKCS#11 returns
 * (PKCS#11 v3.1 section 6.3.1).
 *
 * @throws PkiError `signature_malformed` if the two halves cannot be told apart.
 */
export function ecdsaSignatureDer(fixedLength: Uint8Array): Uint8Array {
  const half = fixedLength.length / 2;
  if (half === 0 || !Number.isInteger(half))
    throw new PkiError('signature_malformed', 'an ECDSA signature has two halves of equal length', {
      details: { length: fixedLength.length },
    });
  return element(
    derTag.sequence,
    unsignedInteger(fixedLength.subarray(0, half)),
    unsignedInteger(fixedLength.subarray(half)),
  );
}
