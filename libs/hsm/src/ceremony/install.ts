import { CKA, CKK, CKO } from '../constants.ts';
import type { Handle } from '../cryptoki.ts';
import { signingMechanisms } from '../mechanism.ts';
import { nativeTemplate, type NestedAttribute } from '../native-unwrap.ts';
import { lockedAttributes } from '../unwrapped-key.ts';
import type { Birthplace, KeyPairCopy, SecretKeyCopy } from './birth.ts';

/** What a KEK may do in its token: one half of the work, never both. */
export type KeyEncryptionKeyRole = 'unwrap' | 'wrap';

const locked: readonly NestedAttribute[] = [
  { type: CKA.token, value: true },
  { type: CKA.private, value: true },
  { type: CKA.sensitive, value: true },
  { type: CKA.extractable, value: false },
  { type: CKA.modifiable, value: false },
  { type: CKA.copyable, value: false },
  { type: CKA.encrypt, value: false },
  { type: CKA.decrypt, value: false },
  { type: CKA.derive, value: false },
  { type: CKA.verify, value: false },
];

const lockedPrivateKey: readonly NestedAttribute[] = [
  { type: CKA.class, value: CKO.privateKey },
  { type: CKA.token, value: true },
  ...lockedAttributes
    .filter(({ type }) => type !== CKA.class && type !== CKA.token)
    .map(({ type, value }) => ({ type, value })),
];

function keyEncryptionKeyTemplate(role: KeyEncryptionKeyRole): NestedAttribute[] {
  const common = [
    { type: CKA.class, value: CKO.secretKey },
    { type: CKA.keyType, value: CKK.aes },
    ...locked,
    { type: CKA.sign, value: false },
    { type: CKA.wrap, value: role === 'wrap' },
    { type: CKA.unwrap, value: role === 'unwrap' },
  ];
  return role === 'unwrap'
    ? [...common, { type: CKA.unwrapTemplate, value: lockedAttributes }]
    : common;
}

function unwrapCopy(
  at: Birthplace,
  copy: { readonly label: string; readonly id: Buffer; readonly wrapped: Buffer },
  template: readonly NestedAttribute[],
): Promise<Handle> {
  return at.token.unwrap(at.lease.session, {
    mechanism: at.token.wrapMechanism,
    unwrappingKey: at.recoveryKey,
    wrappedKey: copy.wrapped,
    template: nativeTemplate([
      ...template,
      { type: CKA.label, value: copy.label },
      { type: CKA.id, value: copy.id },
    ]),
  });
}

/** Unwraps a KEK's copy into the token as a locked object. Returns its handle. */
export function installKeyEncryptionKey(
  at: Birthplace,
  copy: SecretKeyCopy,
  role: KeyEncryptionKeyRole,
): Promise<Handle> {
  return unwrapCopy(at, copy, keyEncryptionKeyTemplate(role));
}

/**
 * Unwraps a signing key's copy into the token, locked, and puts its public key beside it; both or
 * neither.
 */
export async function installSigningKey(
  at: Birthplace,
  copy: KeyPairCopy,
): Promise<{ readonly privateKey: Handle; readonly publicKey: Handle }> {
  const { keyType } = signingMechanisms[copy.algorithm];
  const privateKey = await unwrapCopy(at, copy, [
    ...lockedPrivateKey,
    { type: CKA.keyType, value: keyType },
  ]);
  try {
    return { privateKey, publicKey: createPublicKey(at, copy, keyType) };
  } catch (error) {
    at.token.cryptoki.destroyObject(at.lease.session, privateKey);
    throw error;
  }
}

function createPublicKey(at: Birthplace, copy: KeyPairCopy, keyType: number): Handle {
  return at.token.cryptoki.createObject(at.lease.session, [
    { type: CKA.class, value: CKO.publicKey },
    { type: CKA.keyType, value: keyType },
    { type: CKA.token, value: true },
    { type: CKA.private, value: false },
    { type: CKA.verify, value: true },
    { type: CKA.encrypt, value: false },
    { type: CKA.wrap, value: false },
    { type: CKA.label, value: copy.label },
    { type: CKA.id, value: copy.id },
    ...copy.publicAttributes,
    // Last: see nativeTemplate.
    { type: CKA.modifiable, value: false },
  ]);
}
