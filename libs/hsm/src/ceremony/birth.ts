import type { KeyAlgorithm } from '@signfleet/pki';

import { CKA, CKM } from '../constants.ts';
import type { Attribute, Handle } from '../cryptoki.ts';
import { withGeneratedPair } from '../generate-wrapped-key.ts';
import { signingMechanisms } from '../mechanism.ts';
import type { OpenToken } from '../open-token.ts';
import { readPublicKey } from '../public-key.ts';
import type { Lease } from '../session-pool.ts';
import { destroyOrDiscard } from '../unwrapped-key.ts';
import { keyCheckValue } from './key-check-value.ts';

/** Where a key is born: a session with the recovery key in it. */
export interface Birthplace {
  readonly token: OpenToken;
  readonly lease: Lease;
  readonly recoveryKey: Handle;
}

interface Copy {
  readonly label: string;
  /** CKA_ID. */
  readonly id: Buffer;
  /** Under the recovery key. */
  readonly wrapped: Buffer;
}

/** A KEK's only copy outside an HSM. */
export interface SecretKeyCopy extends Copy {
  readonly checkValue: string;
}

/** A signing key's only copy outside an HSM, with its public half. */
export interface KeyPairCopy extends Copy {
  readonly algorithm: KeyAlgorithm;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** The public key as PKCS#11 attributes. */
  readonly publicAttributes: readonly Attribute[];
}

const keyEncryptionKeyAtBirth: readonly Attribute[] = [
  { type: CKA.valueLength, value: 32 },
  { type: CKA.token, value: false },
  { type: CKA.private, value: true },
  { type: CKA.sensitive, value: true },
  { type: CKA.extractable, value: true },
  // For the key check value; the locked copies may not encrypt.
  { type: CKA.encrypt, value: true },
  { type: CKA.decrypt, value: false },
  { type: CKA.wrap, value: false },
  { type: CKA.unwrap, value: false },
];

function newId(at: Birthplace): Buffer {
  return at.token.cryptoki.random(at.lease.session, 16);
}

function wrapUnderRecoveryKey(at: Birthplace, key: Handle): Promise<Buffer> {
  return at.token.cryptoki.wrapKey(at.lease.session, {
    mechanism: at.token.wrapMechanism,
    wrappingKey: at.recoveryKey,
    key,
  });
}

/** Generates an AES-256 KEK as a session object, copies it once, and destroys it. */
export async function bearKeyEncryptionKey(at: Birthplace, label: string): Promise<SecretKeyCopy> {
  const { cryptoki } = at.token;
  const { session } = at.lease;
  const mechanism = { mechanism: CKM.aesKeyGen };
  const key = await cryptoki.generateKey(session, mechanism, keyEncryptionKeyAtBirth);
  try {
    const wrapped = await wrapUnderRecoveryKey(at, key);
    return { label, id: newId(at), wrapped, checkValue: keyCheckValue(cryptoki, session, key) };
  } finally {
    destroyOrDiscard(cryptoki, at.lease, key);
  }
}

/** Generates a signing key pair as session objects, copies its private key once, destroys both. */
export async function bearSigningKey(
  at: Birthplace,
  label: string,
  algorithm: KeyAlgorithm,
): Promise<KeyPairCopy> {
  const { cryptoki } = at.token;
  const { session } = at.lease;
  return withGeneratedPair(at.token, at.lease, algorithm, async (pair) => ({
    label,
    algorithm,
    id: newId(at),
    wrapped: await wrapUnderRecoveryKey(at, pair.privateKey),
    publicKey: readPublicKey(cryptoki, session, { key: pair.publicKey, algorithm }),
    publicAttributes: signingMechanisms[algorithm].publicAttributes.map((type) => ({
      type,
      value: cryptoki.attribute(session, pair.publicKey, type),
    })),
  }));
}
