import { writeFile } from 'node:fs/promises';

import { CKA, CKK, CKO } from '../constants.ts';
import type { Cryptoki, Handle } from '../cryptoki.ts';
import { HsmError } from '../error.ts';

const recoveryKeyBytes = 32;

/** AES-256 key material from the HSM's own random number generator. */
export function generateRecoveryKey(cryptoki: Cryptoki, session: Handle): Buffer {
  return cryptoki.random(session, recoveryKeyBytes);
}

/** Imports the recovery key as a session object that wraps and unwraps, and can give its KCV. */
export function importRecoveryKey(cryptoki: Cryptoki, session: Handle, material: Buffer): Handle {
  return cryptoki.createObject(session, [
    { type: CKA.class, value: CKO.secretKey },
    { type: CKA.keyType, value: CKK.aes },
    { type: CKA.token, value: false },
    { type: CKA.private, value: true },
    { type: CKA.sensitive, value: true },
    { type: CKA.extractable, value: false },
    { type: CKA.wrap, value: true },
    { type: CKA.unwrap, value: true },
    { type: CKA.encrypt, value: true },
    { type: CKA.decrypt, value: false },
    { type: CKA.value, value: material },
  ]);
}

/**
 * Writes a file that must not exist yet, readable by its owner only.
 *
 * @throws HsmError `already_initialized` if it exists.
 */
export async function writeNewSecretFile(path: string, content: unknown): Promise<void> {
  const text = `${JSON.stringify(content, null, 2)}\n`;
  await writeFile(path, text, { flag: 'wx', mode: 0o600, flush: true }).catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')
      throw new HsmError('already_initialized', 'a file of an earlier ceremony exists', {
        details: { path },
      });
    throw cause;
  });
}

/** The recovery key's file: whoever has it and the backup file has every key of the ceremony. */
export function recoveryKeyFile(material: Buffer, checkValue: string): unknown {
  return {
    format: 'signfleet recovery key v1',
    algorithm: 'AES-256',
    key: material.toString('base64'),
    keyCheckValue: checkValue,
  };
}
