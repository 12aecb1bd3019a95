import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createSoftHsm } from '@signfleet/local-stack';
import { issueCaCertificate, randomSerialNumber } from '@signfleet/pki';

import { runCeremony, type CeremonyOptions, type CeremonyReport } from '../src/index.ts';

export interface TestToken {
  readonly tokenUri: string;
  readonly pinFile: string;
  readonly modulePath: string;
  readonly pin: string;
}

export interface TestHsm {
  readonly directory: string;
  readonly modulePath: string;
  initToken(label: string): Promise<TestToken>;
  remove(): Promise<void>;
}

/** A private SoftHSM2. It reads SOFTHSM2_CONF when loaded: one per process, before any other use. */
export async function softHsm(): Promise<TestHsm> {
  const directory = await mkdtemp(join(tmpdir(), 'signfleet-hsm-'));
  const hsm = await createSoftHsm({ directory });
  const { modulePath } = hsm;
  process.env['SOFTHSM2_CONF'] = hsm.configPath;
  return {
    directory,
    modulePath,
    initToken: async (label) => {
      const pin = `${label}-pin`;
      const pinFile = join(directory, `${label}.pin`);
      await writeFile(pinFile, `${pin}\n`, { mode: 0o600 });
      await hsm.initToken({ label, soPin: 'security-officer', pin });
      return { tokenUri: `pkcs11:token=${label}`, pinFile, modulePath, pin };
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

const day = 86_400_000;

export function ceremonyOptions(
  hsm: TestHsm,
  tokens: { readonly signing: TestToken; readonly provisioning: TestToken },
): CeremonyOptions {
  return {
    ...tokens,
    recoveryKeyFile: join(hsm.directory, 'recovery-key.json'),
    backupFile: join(hsm.directory, 'key-backup.json'),
    issueCaCertificate: (signer) =>
      issueCaCertificate({
        signer,
        subject: { commonName: 'Test issuing CA' },
        validity: { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) },
        serialNumber: randomSerialNumber(),
      }),
  };
}

export interface InitializedHsm {
  readonly hsm: TestHsm;
  readonly signing: TestToken;
  readonly provisioning: TestToken;
  readonly report: CeremonyReport;
}

/** Two tokens after the ceremony. */
export async function initializedHsm(): Promise<InitializedHsm> {
  const hsm = await softHsm();
  const signing = await hsm.initToken('signing');
  const provisioning = await hsm.initToken('provisioning');
  const report = await runCeremony(ceremonyOptions(hsm, { signing, provisioning }));
  return { hsm, signing, provisioning, report };
}
