import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSoftHsm } from '@signfleet/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ceremonyFiles, performCeremony, type CeremonyRequest } from '../src/ceremony.ts';

describe('the key ceremony of the command line', () => {
  let directory: string;
  let token: (label: string) => Promise<CeremonyRequest['signing']>;
  let request: CeremonyRequest;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signfleet-ceremony-'));
    const hsm = await createSoftHsm({ directory });
    process.env['SOFTHSM2_CONF'] = hsm.configPath;
    token = async (label) => {
      const pinFile = join(directory, `${label}.pin`);
      await writeFile(pinFile, `${label}-pin`, { mode: 0o600 });
      await hsm.initToken({ label, soPin: 'security-officer', pin: `${label}-pin` });
      return { tokenUri: `pkcs11:token=${label}`, pinFile, modulePath: hsm.modulePath };
    };
    request = {
      signing: await token('signing'),
      provisioning: await token('provisioning'),
      folder: join(directory, 'ceremony'),
      caName: { commonName: 'Test CA' },
      caAlgorithm: 'P-256',
      caValidityYears: 1,
    };
    await performCeremony(request);
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('writes the secret files for their owner alone', async () => {
    expect((await readdir(request.folder)).sort()).toEqual(Object.values(ceremonyFiles).sort());
    for (const name of [ceremonyFiles.recoveryKey, ceremonyFiles.backup])
      expect((await stat(join(request.folder, name))).mode & 0o777).toBe(0o600);
  });

  it('overwrites nothing of an earlier one whose secrets were moved to their safes', async () => {
    for (const name of [ceremonyFiles.recoveryKey, ceremonyFiles.backup])
      await rm(join(request.folder, name));
    const pinned = join(request.folder, ceremonyFiles.enrolmentPublicKey);
    const before = await readFile(pinned, 'utf8');
    const others = { signing: await token('signing-2'), provisioning: await token('enrolling-2') };
    await expect(performCeremony({ ...request, ...others })).rejects.toMatchObject({
      code: 'already_initialized',
      details: { path: pinned },
    });
    expect(await readFile(pinned, 'utf8')).toBe(before);
  });
});
