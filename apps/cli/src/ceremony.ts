import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCeremony, type CeremonyReport, type TokenAccess } from '@signfleet/hsm';
import {
  encodePem,
  issueCaCertificate,
  randomSerialNumber,
  type DistinguishedName,
  type KeyAlgorithm,
} from '@signfleet/pki';
import { readable } from './readable.ts';

/** What the ceremony leaves in its folder. The first two belong into two different safes. */
export const ceremonyFiles = {
  recoveryKey: 'recovery-key.json',
  backup: 'key-backup.json',
  enrolmentPublicKey: 'enrolment-public-key.pem',
  caCertificate: 'ca-certificate.pem',
  report: 'ceremony-report.json',
} as const;

export interface CeremonyRequest {
  readonly signing: TokenAccess;
  readonly provisioning: TokenAccess;
  readonly folder: string;
  readonly caName: DistinguishedName;
  readonly caAlgorithm: KeyAlgorithm;
  readonly caValidityYears: number;
}

/**
 * Performs the key ceremony and writes its files: the recovery key and the backup (0600), and what
 * workers are configured with.
 *
 * @throws HsmError `already_initialized` if a token or a file is there from an earlier one.
 */
export async function performCeremony(request: CeremonyRequest): Promise<CeremonyReport> {
  const path = (name: keyof typeof ceremonyFiles): string =>
    join(request.folder, ceremonyFiles[name]);
  await mkdir(request.folder, { recursive: true, mode: 0o700 });
  const notBefore = new Date();
  const notAfter = new Date(notBefore);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + request.caValidityYears);
  const report = await runCeremony({
    signing: request.signing,
    provisioning: request.provisioning,
    recoveryKeyFile: path('recoveryKey'),
    backupFile: path('backup'),
    caAlgorithm: request.caAlgorithm,
    issueCaCertificate: (signer) =>
      issueCaCertificate({
        signer,
        subject: request.caName,
        validity: { notBefore, notAfter },
        serialNumber: randomSerialNumber(),
      }),
  });
  await writeFile(path('enrolmentPublicKey'), encodePem('PUBLIC KEY', report.enrolmentPublicKey));
  await writeFile(path('caCertificate'), encodePem('CERTIFICATE', report.caCertificate));
  await writeFile(path('report'), `${JSON.stringify(readable(report), null, 2)}\n`);
  return report;
}
