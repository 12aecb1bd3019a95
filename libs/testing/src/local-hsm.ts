import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runCeremony, type CeremonyReport } from '@signfleet/hsm';
import { createSoftHsm } from '@signfleet/local-stack';
import { encodePem, issueCaCertificate, randomSerialNumber } from '@signfleet/pki';

/** A token's URI and PIN file, as the worker's environment names them. */
export interface LocalToken {
  readonly tokenUri: string;
  readonly pinFile: string;
}

/** A SoftHSM2 with both tokens after the key ceremony: all that a worker needs of an HSM. */
export interface LocalHsm {
  readonly directory: string;
  readonly modulePath: string;
  /** For SOFTHSM2_CONF of child processes; set in this one already. */
  readonly configPath: string;
  readonly signing: LocalToken;
  readonly provisioning: LocalToken;
  /** DER SubjectPublicKeyInfo, and the PEM file with it. */
  readonly enrolmentPublicKey: Uint8Array;
  readonly enrolmentPublicKeyFile: string;
  /** DER, and the PEM file with it. */
  readonly caCertificate: Uint8Array;
  readonly caCertificateFile: string;
  readonly report: CeremonyReport;
  /** Removes the files. Close the tokens first. Idempotent. */
  close(): Promise<void>;
}

const day = 86_400_000;

/**
 * Makes a temporary SoftHSM2 and performs the key ceremony in it, in about a second. SoftHSM2
 * reads its configuration once per process: call it before any token is opened, and once.
 */
export async function localHsm(): Promise<LocalHsm> {
  const directory = await mkdtemp(join(tmpdir(), 'signfleet-hsm-'));
  const hsm = await createSoftHsm({ directory });
  const { modulePath, configPath } = hsm;
  process.env['SOFTHSM2_CONF'] = configPath;
  const makeToken = async (label: string): Promise<LocalToken> => {
    const pin = `${label}-pin`;
    const pinFile = join(directory, `${label}.pin`);
    await writeFile(pinFile, `${pin}\n`, { mode: 0o600 });
    await hsm.initToken({ label, soPin: 'security-officer', pin });
    return { tokenUri: `pkcs11:token=${label}`, pinFile };
  };
  const signing = await makeToken('signing');
  const provisioning = await makeToken('provisioning');
  const report = await runCeremony({
    signing: { ...signing, modulePath },
    provisioning: { ...provisioning, modulePath },
    recoveryKeyFile: join(directory, 'recovery-key.json'),
    backupFile: join(directory, 'key-backup.json'),
    issueCaCertificate: (signer) =>
      issueCaCertificate({
        signer,
        subject: { commonName: 'Test issuing CA', organization: 'Test', country: 'SE' },
        validity: {
          notBefore: new Date(Date.now() - day),
          notAfter: new Date(Date.now() + 3650 * day),
        },
        serialNumber: randomSerialNumber(),
      }),
  });
  const { enrolmentPublicKey, caCertificate } = report;
  const enrolmentPublicKeyFile = join(directory, 'enrolment-public-key.pem');
  const caCertificateFile = join(directory, 'ca-certificate.pem');
  await writeFile(enrolmentPublicKeyFile, encodePem('PUBLIC KEY', enrolmentPublicKey));
  await writeFile(caCertificateFile, encodePem('CERTIFICATE', caCertificate));
  return {
    directory,
    modulePath,
    configPath,
    signing,
    provisioning,
    enrolmentPublicKey,
    enrolmentPublicKeyFile,
    caCertificate,
    caCertificateFile,
    report,
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
