import type { KeyAlgorithm } from '@signfleet/pki';

import { CKA, CKO } from './constants.ts';
import type { Cryptoki, Handle, TokenInfo } from './cryptoki.ts';
import { HsmError } from './error.ts';
import { probeLock, type SecurityLevel } from './lock-probe.ts';
import { openToken, type OpenToken, type TokenAccess } from './open-token.ts';
import { readKeyAlgorithm, readPublicKey } from './public-key.ts';
import { findTokenObjects, objectLabels } from './token-objects.ts';

/** One of our objects as the HSM describes it now. */
export interface ObjectStatus {
  readonly objectClass: 'secret key' | 'private key' | 'public key';
  readonly label: string;
  /** CKA_ID in hex. */
  readonly id: string;
  /** By the standard's name; null where the HSM does not know the attribute. */
  readonly attributes: Readonly<Record<string, boolean | null>>;
  /** Secret keys: CKA_CHECK_VALUE in hex, if the HSM keeps it. */
  readonly keyCheckValue?: string;
  /** Public keys. */
  readonly algorithm?: KeyAlgorithm;
  /** Public keys: DER SubjectPublicKeyInfo. */
  readonly publicKey?: Uint8Array;
}

export interface TokenStatus {
  readonly token: TokenInfo;
  readonly vendorProfile: string;
  readonly objects: readonly ObjectStatus[];
  /** Only where the token holds a KEK that may unwrap: found by trying. */
  readonly securityLevel?: SecurityLevel;
}

const classes = [
  { objectClass: 'secret key', value: CKO.secretKey },
  { objectClass: 'private key', value: CKO.privateKey },
  { objectClass: 'public key', value: CKO.publicKey },
] as const;

const secretAttributes = {
  CKA_SENSITIVE: CKA.sensitive,
  CKA_EXTRACTABLE: CKA.extractable,
  CKA_ALWAYS_SENSITIVE: CKA.alwaysSensitive,
  CKA_NEVER_EXTRACTABLE: CKA.neverExtractable,
  CKA_DECRYPT: CKA.decrypt,
  CKA_UNWRAP: CKA.unwrap,
  CKA_SIGN: CKA.sign,
};

const reported: Readonly<Record<ObjectStatus['objectClass'], Readonly<Record<string, number>>>> = {
  'secret key': { ...secretAttributes, CKA_ENCRYPT: CKA.encrypt, CKA_WRAP: CKA.wrap },
  'private key': secretAttributes,
  'public key': { CKA_VERIFY: CKA.verify, CKA_ENCRYPT: CKA.encrypt, CKA_WRAP: CKA.wrap },
};

const reportedOfAll = {
  CKA_TOKEN: CKA.token,
  CKA_PRIVATE: CKA.private,
  CKA_MODIFIABLE: CKA.modifiable,
  CKA_COPYABLE: CKA.copyable,
  CKA_DERIVE: CKA.derive,
  CKA_LOCAL: CKA.local,
};

function readIfKnown(
  cryptoki: Cryptoki,
  session: Handle,
  o: { readonly object: Handle; readonly type: number },
): Buffer | undefined {
  try {
    return cryptoki.attribute(session, o.object, o.type);
  } catch (error) {
    if (error instanceof HsmError && error.code === 'request_rejected') return undefined;
    throw error;
  }
}

function readAttributes(
  cryptoki: Cryptoki,
  session: Handle,
  o: { readonly object: Handle; readonly objectClass: ObjectStatus['objectClass'] },
): Record<string, boolean | null> {
  const names = { ...reportedOfAll, ...reported[o.objectClass] };
  return Object.fromEntries(
    Object.entries(names).map(([name, type]) => {
      const value = readIfKnown(cryptoki, session, { object: o.object, type });
      return [name, value === undefined || value.length === 0 ? null : value[0] !== 0];
    }),
  );
}

function readExtras(
  cryptoki: Cryptoki,
  session: Handle,
  o: { readonly object: Handle; readonly objectClass: ObjectStatus['objectClass'] },
): Pick<ObjectStatus, 'keyCheckValue' | 'algorithm' | 'publicKey'> {
  const { object: key } = o;
  if (o.objectClass === 'public key') {
    const algorithm = readKeyAlgorithm(cryptoki, session, key);
    return { algorithm, publicKey: readPublicKey(cryptoki, session, { key, algorithm }) };
  }
  if (o.objectClass === 'private key') return {};
  const value = readIfKnown(cryptoki, session, { object: key, type: CKA.checkValue });
  return value === undefined || value.length === 0 ? {} : { keyCheckValue: value.toString('hex') };
}

/** Reads back all objects of ours in a session of the token. */
export async function readStatusInSession(token: OpenToken, session: Handle): Promise<TokenStatus> {
  const { cryptoki, unwrap, profile, wrapMechanism: mechanism } = token;
  const objects: ObjectStatus[] = [];
  let securityLevel: SecurityLevel | undefined;
  for (const label of Object.values(objectLabels))
    for (const { objectClass, value } of classes)
      for (const [id, object] of findTokenObjects(cryptoki, session, {
        objectClass: value,
        label,
      })) {
        const attributes = readAttributes(cryptoki, session, { object, objectClass });
        const extras = readExtras(cryptoki, session, { object, objectClass });
        objects.push({ objectClass, label, id, attributes, ...extras });
        if (value !== CKO.secretKey || attributes['CKA_UNWRAP'] !== true) continue;
        const unwrapping = { cryptoki, unwrap, profile, mechanism };
        const level = await probeLock(unwrapping, session, { keyEncryptionKey: object });
        if (securityLevel !== 'unlocked') securityLevel = level;
      }
  const status = { token: token.info, vendorProfile: profile.name, objects };
  return securityLevel === undefined ? status : { ...status, securityLevel };
}

/** What `hsm status` shows: every object of ours in the token, its attributes, and the lock tried. */
export async function readTokenStatus(access: TokenAccess): Promise<TokenStatus> {
  const token = openToken(access, { sessions: 1, readWrite: true });
  try {
    return await token.pool.withSession(({ session }) => readStatusInSession(token, session));
  } finally {
    await token.close();
  }
}
