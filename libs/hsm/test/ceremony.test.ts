import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pkcs11js from 'pkcs11js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parseCertificate } from '@signfleet/pki';

import {
  openProvisioningToken,
  openSigningToken,
  readTokenStatus,
  runCeremony,
  type CeremonyOptions,
  type CeremonyReport,
} from '../src/index.ts';
import { Cryptoki } from '../src/cryptoki.ts';
import { unframeWrappedKey } from '../src/wrapped-key.ts';
import { attacker } from './attacker.ts';
import { ceremonyOptions, softHsm, type TestHsm, type TestToken } from './soft-hsm.ts';

/** AES key unwrap with padding in software (RFC 5649). */
function unwrapInSoftware(key: Buffer, wrapped: Buffer): Buffer {
  const decipher = createDecipheriv('id-aes256-wrap-pad', key, Buffer.from('a65959a6', 'hex'));
  return Buffer.concat([decipher.update(wrapped), decipher.final()]);
}

function checkValueInSoftware(key: Buffer): string {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return cipher.update(Buffer.alloc(16)).subarray(0, 3).toString('hex');
}

describe('the key ceremony', () => {
  let hsm: TestHsm;
  let signing: TestToken;
  let provisioning: TestToken;
  let options: CeremonyOptions;
  let report: CeremonyReport;

  const readJson = async (path: string): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  const countObjects = (token: TestToken): number => {
    const keepsModuleOpen = Cryptoki.open(hsm.modulePath);
    const observer = attacker(token);
    const { length } = observer.objects();
    observer.close();
    keepsModuleOpen.close();
    return length;
  };
  const exists = (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );

  beforeAll(async () => {
    hsm = await softHsm();
    signing = await hsm.initToken('signing');
    provisioning = await hsm.initToken('provisioning');
    options = ceremonyOptions(hsm, { signing, provisioning });
  });

  afterAll(() => hsm.remove());

  it('removes all that it made when a step fails', async () => {
    const failure = new Error('no certificate');
    await expect(
      runCeremony({ ...options, issueCaCertificate: () => Promise.reject(failure) }),
    ).rejects.toBe(failure);
    expect(countObjects(signing)).toBe(0);
    expect(countObjects(provisioning)).toBe(0);
    expect(await exists(options.recoveryKeyFile)).toBe(false);
    expect(await exists(options.backupFile)).toBe(false);
  });

  it('overwrites no file', async () => {
    await writeFile(options.backupFile, 'of somebody else');
    await expect(runCeremony(options)).rejects.toMatchObject({ code: 'already_initialized' });
    expect(await readFile(options.backupFile, 'utf8')).toBe('of somebody else');
    expect(await exists(options.recoveryKeyFile)).toBe(false);
    const backupFile = join(hsm.directory, 'backup-2.json');
    options = { ...options, backupFile };
  });

  it('wants a token for each role', async () => {
    await expect(runCeremony({ ...options, provisioning: options.signing })).rejects.toMatchObject({
      code: 'token_uri_invalid',
    });
  });

  it('proves the lock and leaves the keys, and only them, in the tokens', async () => {
    report = await runCeremony(options);
    expect(report.securityLevel).toBe('locked');
    expect(countObjects(signing)).toBe(1);
    expect(countObjects(provisioning)).toBe(5);
  });

  it('is not performed twice', async () => {
    await expect(
      runCeremony({
        ...options,
        recoveryKeyFile: join(hsm.directory, 'other-recovery.json'),
        backupFile: join(hsm.directory, 'other-backup.json'),
      }),
    ).rejects.toMatchObject({ code: 'already_initialized' });
    expect(await exists(join(hsm.directory, 'other-recovery.json'))).toBe(false);
  });

  it('writes its files for their owner alone', async () => {
    for (const path of [options.recoveryKeyFile, options.backupFile])
      expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('separates the roles in the attributes that the HSM reports', () => {
    const attributesOf = (status: CeremonyReport['signing'], label: string) =>
      status.objects.find((object) => object.label === label && object.objectClass !== 'public key')
        ?.attributes;
    const locked = {
      CKA_TOKEN: true,
      CKA_PRIVATE: true,
      CKA_SENSITIVE: true,
      CKA_EXTRACTABLE: false,
      CKA_MODIFIABLE: false,
      CKA_COPYABLE: false,
      CKA_DECRYPT: false,
      CKA_DERIVE: false,
    };
    expect(attributesOf(report.signing, 'signfleet-kek')).toMatchObject({
      ...locked,
      CKA_UNWRAP: true,
      CKA_WRAP: false,
      CKA_ENCRYPT: false,
      CKA_SIGN: false,
    });
    expect(attributesOf(report.provisioning, 'signfleet-kek')).toMatchObject({
      ...locked,
      CKA_UNWRAP: false,
      CKA_WRAP: true,
      CKA_ENCRYPT: false,
      CKA_SIGN: false,
    });
    for (const label of ['signfleet-enrolment', 'signfleet-ca'])
      expect(attributesOf(report.provisioning, label)).toMatchObject({
        ...locked,
        CKA_UNWRAP: false,
        CKA_SIGN: true,
      });
  });

  it('reads the same back later', async () => {
    expect(await readTokenStatus(signing)).toEqual(report.signing);
    expect(await readTokenStatus(provisioning)).toEqual(report.provisioning);
    expect(report.signing.securityLevel).toBe('locked');
    expect(report.provisioning.securityLevel).toBeUndefined();
  });

  it('certifies the CA key', async () => {
    const token = await openProvisioningToken({ ...provisioning, sessions: 1 });
    expect(parseCertificate(report.caCertificate).publicKey).toEqual(token.caSigner.publicKey);
    expect(token.enrolmentSigner.publicKey).toEqual(report.enrolmentPublicKey);
    await token.close();
  });

  it('leaves copies from which every key comes back with the recovery key', async () => {
    const recovery = await readJson(options.recoveryKeyFile);
    const backup = await readJson(options.backupFile);
    const recoveryKey = Buffer.from(String(recovery['key']), 'base64');
    expect(checkValueInSoftware(recoveryKey)).toBe(report.recoveryKeyCheckValue);
    const [kek] = backup['keyEncryptionKeys'] as Record<string, string>[];
    const key = unwrapInSoftware(recoveryKey, Buffer.from(kek!['wrappedKey']!, 'base64'));
    expect(key).toHaveLength(32);
    expect(checkValueInSoftware(key)).toBe(report.keyEncryptionKeyCheckValue);
    expect(kek!['id']).toBe(report.keyEncryptionKeyId);

    const publicOf = (pkcs8: Buffer): Buffer =>
      createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })).export({
        type: 'spki',
        format: 'der',
      });
    const signingKeys = backup['signingKeys'] as Record<string, string>[];
    expect(signingKeys).toHaveLength(2);
    for (const copy of signingKeys) {
      const wrapped = Buffer.from(copy['wrappedKey']!, 'base64');
      expect(publicOf(unwrapInSoftware(recoveryKey, wrapped)).toString('base64')).toBe(
        copy['publicKey'],
      );
    }

    const token = await openProvisioningToken({ ...provisioning, sessions: 1 });
    const { record } = await token.generateWrappedKey(
      { owner: { tenantId: 't', userId: 'u', keyId: 'k' }, algorithm: 'P-256' },
      () => Promise.resolve(),
    );
    await token.close();
    const userKey = unwrapInSoftware(key, unframeWrappedKey(record.wrappedKey));
    expect(new Uint8Array(publicOf(userKey))).toEqual(record.publicKey);
  });

  it('says so at start-up when a key encryption key is not locked', async () => {
    const C = pkcs11js;
    const loose = await hsm.initToken('loose');
    const keepsModuleOpen = Cryptoki.open(hsm.modulePath);
    const maker = attacker(loose);
    maker.library.C_GenerateKey(maker.session, { mechanism: C.CKM_AES_KEY_GEN }, [
      { type: C.CKA_LABEL, value: 'signfleet-kek' },
      { type: C.CKA_ID, value: Buffer.from([1]) },
      { type: C.CKA_VALUE_LEN, value: 32 },
      { type: C.CKA_TOKEN, value: true },
      { type: C.CKA_UNWRAP, value: true },
    ]);
    maker.close();
    const { enrolmentPublicKey } = report;
    const token = await openSigningToken({ ...loose, sessions: 1, enrolmentPublicKey });
    expect(token.facts.securityLevel).toBe('unlocked');
    await token.close();
    keepsModuleOpen.close();
  });

  it('is missed by a token that never had one', async () => {
    const empty = await hsm.initToken('empty');
    const { enrolmentPublicKey } = report;
    await expect(
      openSigningToken({ ...empty, sessions: 1, enrolmentPublicKey }),
    ).rejects.toMatchObject({ code: 'key_encryption_key_missing' });
    await expect(openProvisioningToken({ ...empty, sessions: 1 })).rejects.toMatchObject({
      code: 'key_encryption_key_missing',
    });
  });
});
