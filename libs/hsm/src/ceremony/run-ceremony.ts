import { rm } from 'node:fs/promises';

import { ResourceStack } from '@signfleet/errors';
import type { KeyAlgorithm, Signer } from '@signfleet/pki';

import { HsmError } from '../error.ts';
import { lendSigner } from '../hsm-signer.ts';
import type { SecurityLevel } from '../lock-probe.ts';
import { openToken, type TokenAccess } from '../open-token.ts';
import { objectLabels } from '../token-objects.ts';
import { readStatusInSession, type TokenStatus } from '../token-status.ts';
import { destroyOrDiscard } from '../unwrapped-key.ts';
import { backupFile } from './backup-file.ts';
import {
  bearKeyEncryptionKey,
  bearSigningKey,
  type Birthplace,
  type KeyPairCopy,
  type SecretKeyCopy,
} from './birth.ts';
import { installKeyEncryptionKey, installSigningKey } from './install.ts';
import { keyCheckValue } from './key-check-value.ts';
import { proveLock } from './lock-proof.ts';
import {
  generateRecoveryKey,
  importRecoveryKey,
  recoveryKeyFile,
  writeNewSecretFile,
} from './recovery-key.ts';

export interface CeremonyOptions {
  /** The token that signing workers will use. */
  readonly signing: TokenAccess;
  /** The token that enrolment workers will use; another than the signing token. */
  readonly provisioning: TokenAccess;
  /** New file for the recovery key. For the custodians: keep it apart from the backup file. */
  readonly recoveryKeyFile: string;
  /** New file for the wrapped copies of all keys. */
  readonly backupFile: string;
  /** Default P-384. */
  readonly caAlgorithm?: KeyAlgorithm;
  /** Makes the self-signed certificate of the CA key; DER. */
  readonly issueCaCertificate: (caSigner: Signer) => Promise<Uint8Array>;
}

/** What was made, as read back from the HSM. Holds no secret. */
export interface CeremonyReport {
  readonly performedAt: Date;
  readonly securityLevel: SecurityLevel;
  readonly keyEncryptionKeyId: string;
  /** Taken at birth; compare with the tokens' own. */
  readonly keyEncryptionKeyCheckValue: string;
  readonly recoveryKeyCheckValue: string;
  /** DER SubjectPublicKeyInfo, to be pinned by signing workers. */
  readonly enrolmentPublicKey: Uint8Array;
  readonly caCertificate: Uint8Array;
  readonly signing: TokenStatus;
  readonly provisioning: TokenStatus;
}

interface Newborn {
  readonly kek: SecretKeyCopy;
  readonly enrolment: KeyPairCopy;
  readonly ca: KeyPairCopy;
}

async function refuseIfInitialized(at: Pick<Birthplace, 'token' | 'lease'>): Promise<void> {
  const { objects, token } = await readStatusInSession(at.token, at.lease.session);
  const [existing] = objects;
  if (existing !== undefined)
    throw new HsmError('already_initialized', 'the token holds keys of an earlier ceremony', {
      details: { token: token.label, label: existing.label },
    });
}

async function bearAndBackUp(
  o: CeremonyOptions,
  at: Birthplace,
  b: { readonly material: Buffer; readonly performedAt: Date; readonly undo: ResourceStack },
): Promise<Newborn & { readonly recoveryKeyCheckValue: string }> {
  const { cryptoki, wrapMechanism } = at.token;
  const checkValue = keyCheckValue(cryptoki, at.lease.session, at.recoveryKey);
  await writeNewSecretFile(o.recoveryKeyFile, recoveryKeyFile(b.material, checkValue));
  b.undo.use('recovery key file', o.recoveryKeyFile, (path) => rm(path));
  const kek = await bearKeyEncryptionKey(at, objectLabels.keyEncryptionKey);
  const enrolment = await bearSigningKey(at, objectLabels.enrolmentKey, 'P-256');
  const ca = await bearSigningKey(at, objectLabels.caKey, o.caAlgorithm ?? 'P-384');
  // Before anything is installed: no key may come into use that has no copy.
  const content = backupFile({
    createdAt: b.performedAt,
    wrapMechanism: wrapMechanism.mechanism,
    recoveryKeyCheckValue: checkValue,
    keyEncryptionKeys: [kek],
    signingKeys: [enrolment, ca],
  });
  await writeNewSecretFile(o.backupFile, content);
  b.undo.use('backup file', o.backupFile, (path) => rm(path));
  return { kek, enrolment, ca, recoveryKeyCheckValue: checkValue };
}

async function install(
  o: CeremonyOptions,
  at: { readonly signing: Birthplace; readonly provisioning: Birthplace },
  b: { readonly born: Newborn; readonly undo: ResourceStack },
): Promise<{ readonly securityLevel: SecurityLevel; readonly caCertificate: Uint8Array }> {
  const { signing, provisioning } = at;
  const undoable = <Object extends Buffer>(place: Birthplace, object: Object): Object =>
    b.undo.use('token object', object, (handle) => {
      place.token.cryptoki.destroyObject(place.lease.session, handle);
    });
  const { kek, enrolment, ca } = b.born;
  const unwrappingKey = undoable(signing, await installKeyEncryptionKey(signing, kek, 'unwrap'));
  const wrappingKey = undoable(
    provisioning,
    await installKeyEncryptionKey(provisioning, kek, 'wrap'),
  );
  const installed = [];
  for (const copy of [enrolment, ca]) {
    const pair = await installSigningKey(provisioning, copy);
    undoable(provisioning, pair.privateKey);
    undoable(provisioning, pair.publicKey);
    installed.push(pair.privateKey);
  }
  const securityLevel = await proveLock({ signing, unwrappingKey, provisioning, wrappingKey });
  const caKey = installed[1];
  if (caKey === undefined) throw new HsmError('key_missing', 'the CA key was not installed');
  const { cryptoki } = provisioning.token;
  const { algorithm, publicKey } = ca;
  const { session } = provisioning.lease;
  const lent = lendSigner({ cryptoki, session, key: caKey, algorithm, publicKey });
  const caCertificate = await o.issueCaCertificate(lent.signer).finally(() => lent.end());
  return { securityLevel, caCertificate };
}

type Place = Pick<Birthplace, 'token' | 'lease'>;

// Whoever must clean up by hand needs to know both what went wrong and what could not be undone.
async function undoAfter(error: unknown, undo: ResourceStack): Promise<void> {
  try {
    await undo.close();
  } catch (left) {
    const code = error instanceof HsmError ? error.code : 'device_error';
    throw new HsmError(code, 'the ceremony failed, and what it had made was not all removed', {
      cause: new AggregateError([error, left]),
    });
  }
}

async function perform(
  o: CeremonyOptions,
  places: { readonly signing: Place; readonly provisioning: Place },
): Promise<CeremonyReport> {
  await refuseIfInitialized(places.signing);
  await refuseIfInitialized(places.provisioning);
  const performedAt = new Date();
  const undo = new ResourceStack();
  const temporary = new ResourceStack();
  const { provisioning: p, signing: s } = places;
  const material = generateRecoveryKey(p.token.cryptoki, p.lease.session);
  const withRecoveryKey = (place: Place): Birthplace => {
    const key = importRecoveryKey(place.token.cryptoki, place.lease.session, material);
    temporary.use('recovery key', key, () => {
      destroyOrDiscard(place.token.cryptoki, place.lease, key);
    });
    return { ...place, recoveryKey: key };
  };
  try {
    const provisioning = withRecoveryKey(p);
    const signing = withRecoveryKey(s);
    const born = await bearAndBackUp(o, provisioning, { material, performedAt, undo });
    const made = await install(o, { signing, provisioning }, { born, undo });
    return {
      performedAt,
      ...made,
      keyEncryptionKeyId: born.kek.id.toString('hex'),
      keyEncryptionKeyCheckValue: born.kek.checkValue,
      recoveryKeyCheckValue: born.recoveryKeyCheckValue,
      enrolmentPublicKey: born.enrolment.publicKey,
      signing: await readStatusInSession(s.token, s.lease.session),
      provisioning: await readStatusInSession(p.token, p.lease.session),
    };
  } catch (error) {
    await undoAfter(error, undo);
    throw error;
  } finally {
    material.fill(0);
    await temporary.close();
  }
}

/**
 * The key ceremony, `hsm init`. Every key is born as a session object, copied once under a new
 * recovery key, and unwrapped from that copy into its token as a locked object: the KEK for
 * unwrapping into the signing token, its twin for wrapping, the enrolment key and the CA key into
 * the provisioning token. If anything fails, what this run made is removed.
 *
 * @throws HsmError `already_initialized` if a token holds such keys or a file exists already.
 */
export async function runCeremony(o: CeremonyOptions): Promise<CeremonyReport> {
  const open = new ResourceStack();
  const openOne = (name: string, access: TokenAccess) =>
    open.use(name, openToken(access, { sessions: 1, readWrite: true }), (token) => token.close());
  try {
    const signing = openOne('signing token', o.signing);
    const provisioning = openOne('provisioning token', o.provisioning);
    if (signing.info.serial === provisioning.info.serial)
      throw new HsmError('token_uri_invalid', 'the two roles need two tokens');
    if (signing.wrapMechanism.mechanism !== provisioning.wrapMechanism.mechanism)
      throw new HsmError('mechanism_unsupported', 'the tokens have no wrap mechanism in common');
    return await signing.pool.withSession((signingLease) =>
      provisioning.pool.withSession((provisioningLease) =>
        perform(o, {
          signing: { token: signing, lease: signingLease },
          provisioning: { token: provisioning, lease: provisioningLease },
        }),
      ),
    );
  } finally {
    await open.close();
  }
}
