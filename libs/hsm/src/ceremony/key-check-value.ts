import { CKM } from '../constants.ts';
import type { Cryptoki, Handle } from '../cryptoki.ts';

/**
 * Key check value of an AES key that may still encrypt: the first three bytes of a block of zeros
 * encrypted in ECB mode, in hex. It is what CKA_CHECK_VALUE holds (PKCS#11 v3.1 section 4.10.2), so
 * the value taken at a key's birth can be compared with the locked copies, which may not encrypt.
 */
export function keyCheckValue(cryptoki: Cryptoki, session: Handle, key: Handle): string {
  const block = cryptoki.encrypt(session, { mechanism: CKM.aesEcb }, key, Buffer.alloc(16));
  return block.subarray(0, 3).toString('hex');
}
