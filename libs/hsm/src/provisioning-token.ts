import type { KeyAlgorithm, Signer } from '@signfleet/pki';

import { CKO } from './constants.ts';
import { HsmError } from './error.ts';
import { generateWrappedKey, type KeyOwner } from './generate-wrapped-key.ts';
import { residentSigner } from './hsm-signer.ts';
import type { WrappedKeyRecord } from './key-record.ts';
import { openToken, type OpenToken, type TokenAccess } from './open-token.ts';
import { readKeyAlgorithm, readPublicKey } from './public-key.ts';
import { findKeyEncryptionKeys, findOnlyKey, objectLabels, perLogin } from './token-objects.ts';

/** The token that an enrolment worker may use: it makes wrapped keys, binds and certifies them. */
export interface ProvisioningToken {
  /** Signs key records. P-256. */
  readonly enrolmentSigner: Signer;
  /** Signs certificates. */
  readonly caSigner: Signer;
  /**
   * Generates a key pair as session objects, lends a signer over it to `whileHeld` (for a
   * certification request), wraps the private key with the KEK, destroys the pair and binds the
   * record. Do not use the token inside `whileHeld`: it has a session already.
   */
  generateWrappedKey<Held>(
    o: { readonly owner: KeyOwner; readonly algorithm: KeyAlgorithm },
    whileHeld: (signer: Signer) => Promise<Held>,
  ): Promise<{ readonly record: WrappedKeyRecord; readonly held: Held }>;
  /** Resolves if a session can be had, is logged in, and sees the KEK. @throws HsmError. */
  health(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

async function openResidentSigner(token: OpenToken, label: string): Promise<Signer> {
  const { cryptoki, pool } = token;
  const identity = await pool.withSession(({ session }) => {
    const key = findOnlyKey(cryptoki, session, { objectClass: CKO.publicKey, label });
    const algorithm = readKeyAlgorithm(cryptoki, session, key);
    return Promise.resolve({
      algorithm,
      publicKey: readPublicKey(cryptoki, session, { key, algorithm }),
    });
  });
  const findKey = perLogin((session) =>
    findOnlyKey(cryptoki, session, { objectClass: CKO.privateKey, label }),
  );
  return residentSigner({ cryptoki, pool, ...identity, findKey });
}

function provisioningToken(
  token: OpenToken,
  signers: { readonly enrolmentSigner: Signer; readonly caSigner: Signer },
): ProvisioningToken {
  const { cryptoki, pool } = token;
  const { algorithm, publicKey } = signers.enrolmentSigner;
  const keyEncryptionKeys = perLogin((session) => findKeyEncryptionKeys(cryptoki, session));
  const enrolmentKey = perLogin((session) =>
    findOnlyKey(cryptoki, session, {
      objectClass: CKO.privateKey,
      label: objectLabels.enrolmentKey,
    }),
  );
  return {
    ...signers,
    generateWrappedKey: (request, whileHeld) =>
      pool.withSession((lease) => {
        const [found, another] = [...keyEncryptionKeys(lease)];
        if (found === undefined || another !== undefined)
          throw new HsmError('key_missing', 'the token must hold exactly one KEK');
        const [id, handle] = found;
        const enrolment = { key: enrolmentKey(lease), algorithm, publicKey };
        const context = { token, lease, keyEncryptionKey: { id, handle }, enrolment };
        return generateWrappedKey(context, request, whileHeld);
      }),
    health: () =>
      pool.withSession(async ({ session }) => {
        findKeyEncryptionKeys(cryptoki, session);
        return Promise.resolve();
      }),
    close: () => token.close(),
  };
}

/**
 * Opens the provisioning token with read-only sessions: all it makes are session objects.
 *
 * @throws HsmError `key_encryption_key_missing` or `key_missing` before the ceremony; those of
 * `openToken` and login.
 */
export async function openProvisioningToken(
  o: TokenAccess & { readonly sessions: number },
): Promise<ProvisioningToken> {
  const token = openToken(o, { sessions: o.sessions, readWrite: false });
  try {
    await token.pool.withSession(({ session }) =>
      Promise.resolve(findKeyEncryptionKeys(token.cryptoki, session)),
    );
    const enrolmentSigner = await openResidentSigner(token, objectLabels.enrolmentKey);
    const caSigner = await openResidentSigner(token, objectLabels.caKey);
    return provisioningToken(token, { enrolmentSigner, caSigner });
  } catch (error) {
    await token.close();
    throw error;
  }
}
