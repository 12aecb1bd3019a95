import type { KeyAlgorithm, Signer } from '@signfleet/pki';

import { CKA } from './constants.ts';
import type { Attribute, Handle } from './cryptoki.ts';
import { lendSigner } from './hsm-signer.ts';
import { bindKeyRecord, type WrappedKeyRecord } from './key-record.ts';
import { signingMechanisms } from './mechanism.ts';
import type { OpenToken } from './open-token.ts';
import { readPublicKey } from './public-key.ts';
import type { Lease } from './session-pool.ts';
import { destroyOrDiscard } from './unwrapped-key.ts';
import { frameWrappedKey } from './wrapped-key.ts';

export interface KeyOwner {
  readonly tenantId: string;
  readonly userId: string;
  readonly keyId: string;
}

export interface GenerationContext {
  readonly token: OpenToken;
  readonly lease: Lease;
  readonly keyEncryptionKey: { readonly id: string; readonly handle: Handle };
  readonly enrolment: {
    readonly key: Handle;
    readonly algorithm: KeyAlgorithm;
    readonly publicKey: Uint8Array;
  };
}

/** A private key on its way into a wrapped blob: extractable, since only such a key can be wrapped. */
export const wrappableAttributes: readonly Attribute[] = [
  { type: CKA.token, value: false },
  { type: CKA.private, value: true },
  { type: CKA.sensitive, value: true },
  { type: CKA.extractable, value: true },
  { type: CKA.sign, value: true },
  { type: CKA.decrypt, value: false },
  { type: CKA.unwrap, value: false },
];

export const sessionPublicKeyAttributes: readonly Attribute[] = [
  { type: CKA.token, value: false },
  { type: CKA.verify, value: true },
  { type: CKA.encrypt, value: false },
  { type: CKA.wrap, value: false },
];

/**
 * Generates a pair as session objects and destroys both after `use`, whatever happens.
 */
export async function withGeneratedPair<Result>(
  token: Pick<OpenToken, 'cryptoki'>,
  lease: Lease,
  algorithm: KeyAlgorithm,
  use: (pair: { readonly publicKey: Handle; readonly privateKey: Handle }) => Promise<Result>,
): Promise<Result> {
  const mechanism = signingMechanisms[algorithm];
  const pair = await token.cryptoki.generateKeyPair(lease.session, {
    mechanism: mechanism.generate,
    publicKey: [...sessionPublicKeyAttributes, ...mechanism.generateParameters],
    privateKey: wrappableAttributes,
  });
  try {
    return await use(pair);
  } finally {
    destroyOrDiscard(token.cryptoki, lease, pair.privateKey);
    destroyOrDiscard(token.cryptoki, lease, pair.publicKey);
  }
}

/** See ProvisioningToken.generateWrappedKey. */
export async function generateWrappedKey<Held>(
  context: GenerationContext,
  o: { readonly owner: KeyOwner; readonly algorithm: KeyAlgorithm },
  whileHeld: (signer: Signer) => Promise<Held>,
): Promise<{ readonly record: WrappedKeyRecord; readonly held: Held }> {
  const { token, lease, keyEncryptionKey, enrolment } = context;
  const { cryptoki, wrapMechanism: mechanism } = token;
  const { session } = lease;
  const { algorithm } = o;
  const made = await withGeneratedPair(token, lease, algorithm, async (pair) => {
    const publicKey = readPublicKey(cryptoki, session, { key: pair.publicKey, algorithm });
    const lent = lendSigner({ cryptoki, session, key: pair.privateKey, algorithm, publicKey });
    const held = await whileHeld(lent.signer).finally(() => lent.end());
    const blob = await cryptoki.wrapKey(session, {
      mechanism,
      wrappingKey: keyEncryptionKey.handle,
      key: pair.privateKey,
    });
    return { publicKey, held, wrappedKey: frameWrappedKey(blob) };
  });
  const { tenantId, userId, keyId } = o.owner;
  const lent = lendSigner({ cryptoki, session, ...enrolment });
  const record = await bindKeyRecord(
    {
      tenantId,
      userId,
      keyId,
      algorithm,
      publicKey: made.publicKey,
      keyEncryptionKeyId: keyEncryptionKey.id,
      wrappedKey: made.wrappedKey,
    },
    lent.signer,
  ).finally(() => lent.end());
  return { record, held: made.held };
}
