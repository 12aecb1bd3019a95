import type { Signer } from '@signfleet/pki';

import { HsmError } from './error.ts';
import { bindingVerifier, type WrappedKeyRecord } from './key-record.ts';
import { probeLock, type SecurityLevel } from './lock-probe.ts';
import { openToken, type OpenToken, type TokenAccess } from './open-token.ts';
import { findKeyEncryptionKeys, perLogin } from './token-objects.ts';
import { withUnwrappedBlob, type Unwrapping } from './unwrapped-key.ts';
import { unframeWrappedKey } from './wrapped-key.ts';

export interface SigningTokenFacts {
  readonly label: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly vendorProfile: string;
  readonly securityLevel: SecurityLevel;
  /** Of every KEK that the token holds. */
  readonly keyEncryptionKeyIds: readonly string[];
}

/** Is told how a bracket goes on, for those who measure it. */
export interface BracketObserver {
  /** The wait for a session is over, the work of the HSM begins. */
  readonly onSession?: () => void;
}

/** The token that a signing worker may use: it turns a wrapped key into signatures, nothing else. */
export interface SigningToken {
  readonly facts: SigningTokenFacts;
  /**
   * Checks the record's binding in software, and only then unwraps its key as a non-extractable
   * session object, lends a signer to `use`, and destroys the key. Signatures by the lent signer
   * are made one after the other; after `use` it is worthless. Do not use the token inside `use`.
   *
   * @throws HsmError the codes of `bindingVerifier`; `key_encryption_key_mismatch` if the token
   * does not hold the record's KEK; `unwrap_rejected` if the HSM refuses the blob; what a fault of
   * the HSM is called.
   */
  withUnwrappedKey<Result>(
    record: WrappedKeyRecord,
    use: (signer: Signer) => Promise<Result>,
    observe?: BracketObserver,
  ): Promise<Result>;
  /** Resolves if a session can be had, is logged in, and sees a KEK. @throws HsmError. */
  health(): Promise<void>;
  /** Waits for the keys in use, then closes all sessions. Idempotent. */
  close(): Promise<void>;
}

export interface SigningTokenOptions extends TokenAccess {
  /** How many keys may be unwrapped at a time. Beyond 4, raise UV_THREADPOOL_SIZE as well. */
  readonly sessions: number;
  /** DER SubjectPublicKeyInfo from the ceremony's report. */
  readonly enrolmentPublicKey: Uint8Array;
}

function missing(id: string): HsmError {
  return new HsmError(
    'key_encryption_key_mismatch',
    'the token does not hold the key encryption key of this record',
    { details: { keyEncryptionKeyId: id } },
  );
}

async function readFacts(token: OpenToken, unwrapping: Unwrapping): Promise<SigningTokenFacts> {
  return token.pool.withSession(async ({ session }) => {
    const keys = findKeyEncryptionKeys(token.cryptoki, session);
    let securityLevel: SecurityLevel = 'locked';
    for (const keyEncryptionKey of keys.values())
      if ((await probeLock(unwrapping, session, { keyEncryptionKey })) === 'unlocked')
        securityLevel = 'unlocked';
    return {
      label: token.info.label,
      manufacturer: token.info.manufacturer,
      model: token.info.model,
      vendorProfile: token.profile.name,
      securityLevel,
      keyEncryptionKeyIds: [...keys.keys()],
    };
  });
}

function signingToken(
  token: OpenToken,
  o: {
    readonly unwrapping: Unwrapping;
    readonly facts: SigningTokenFacts;
    readonly verifyBinding: (record: WrappedKeyRecord) => void;
  },
): SigningToken {
  const { cryptoki, pool } = token;
  const keyEncryptionKeys = perLogin((session) => findKeyEncryptionKeys(cryptoki, session));
  return {
    facts: o.facts,
    withUnwrappedKey: async (record, use, observe) => {
      o.verifyBinding(record);
      const blob = unframeWrappedKey(record.wrappedKey);
      return pool.withSession((lease) => {
        observe?.onSession?.();
        const keyEncryptionKey = keyEncryptionKeys(lease).get(record.keyEncryptionKeyId);
        if (keyEncryptionKey === undefined) throw missing(record.keyEncryptionKeyId);
        const { algorithm, publicKey } = record;
        const key = { keyEncryptionKey, blob, algorithm, publicKey };
        return withUnwrappedBlob(o.unwrapping, lease, key, use);
      });
    },
    health: () =>
      pool.withSession(async ({ session }) => {
        findKeyEncryptionKeys(cryptoki, session);
        return Promise.resolve();
      }),
    close: () => token.close(),
  };
}

/**
 * Opens the signing token with read-only sessions and tells, by trying, whether the HSM enforces
 * the KEK's unwrap template (`facts.securityLevel`).
 *
 * @throws HsmError `key_encryption_key_missing` before the ceremony; those of `openToken` and login.
 */
export async function openSigningToken(o: SigningTokenOptions): Promise<SigningToken> {
  const verifyBinding = bindingVerifier(o.enrolmentPublicKey);
  const token = openToken(o, { sessions: o.sessions, readWrite: false });
  try {
    const { cryptoki, unwrap, profile, wrapMechanism: mechanism } = token;
    const unwrapping = { cryptoki, unwrap, profile, mechanism };
    const facts = await readFacts(token, unwrapping);
    return signingToken(token, { unwrapping, facts, verifyBinding });
  } catch (error) {
    await token.close();
    throw error;
  }
}
