import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HsmError, runCeremony, type CeremonyReport, type TokenAccess } from '@signfleet/hsm';
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
  refuseToOverwrite([path('enrolmentPublicKey'), path('caCertificate'), path('report')]);
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
  const write = (name: keyof typeof ceremonyFiles, text: string): Promise<void> =>
    writeFile(path(name), text, { flag: 'wx', flush: true });
  await write('enrolmentPublicKey', encodePem('PUBLIC KEY', report.enrolmentPublicKey));
  await write('caCertificate', encodePem('CERTIFICATE', report.caCertificate));
  await write('report', `${JSON.stringify(readable(report), null, 2)}\n`);
  return report;
}

// Before the tokens are touched: the CA certificate is nowhere but in what is written here.
function refuseToOverwrite(paths: readonly string[]): void {
  const path = paths.find((candidate) => existsSync(candidate));
  if (path === undefined) return;
  throw new HsmError('already_initialized', 'a file of an earlier ceremony exists', {
    details: { path },
  });
}
