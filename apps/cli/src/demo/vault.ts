import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenAccess } from '@signfleet/hsm';
import { createSoftHsm, secretFile, type SoftHsm } from '@signfleet/local-stack';
import { ceremonyFiles, performCeremony } from '../ceremony.ts';

type Environment = Readonly<Record<string, string>>;

/** A SoftHSM2 with its ceremony done, and what each kind of worker is told of it. */
export interface Vault {
  /** Environment of a signing worker: it never learns the provisioning PIN. */
  readonly signing: Environment;
  /** Environment of a provisioning worker: it never learns the signing PIN. */
  readonly provisioning: Environment;
  readonly caCertificateFile: string;
}

type Role = 'signing' | 'provisioning';

/**
 * Opens the SoftHSM2 under `folder`; the first time it initializes both tokens with random PINs and
 * performs the ceremony. For trial only: a software token, all secrets in one folder.
 */
export async function openVault(folder: string): Promise<Vault> {
  const hsm = await createSoftHsm({ directory: folder });
  process.env['SOFTHSM2_CONF'] = hsm.configPath;
  const signing = await openToken(hsm, folder, 'signing');
  const provisioning = await openToken(hsm, folder, 'provisioning');
  const ceremonyFolder = join(folder, 'ceremony');
  const caCertificateFile = join(ceremonyFolder, ceremonyFiles.caCertificate);
  const done = await exists(join(ceremonyFolder, ceremonyFiles.report));
  if (!done) {
    await performCeremony({
      signing,
      provisioning,
      folder: ceremonyFolder,
      caName: { commonName: 'signfleet demo CA', organization: 'Example Ltd', country: 'DE' },
      caAlgorithm: 'P-384',
      caValidityYears: 10,
    });
  }
  const shared = {
    HSM_MODULE: hsm.modulePath,
    SOFTHSM2_CONF: hsm.configPath,
    ENROLMENT_PUBLIC_KEY_FILE: join(ceremonyFolder, ceremonyFiles.enrolmentPublicKey),
    CA_CERTIFICATE_FILE: caCertificateFile,
  };
  const forSigning = {
    HSM_SIGNING_TOKEN_URI: signing.tokenUri,
    HSM_SIGNING_PIN_FILE: signing.pinFile,
  };
  const forProvisioning = {
    HSM_PROVISIONING_TOKEN_URI: provisioning.tokenUri,
    HSM_PROVISIONING_PIN_FILE: provisioning.pinFile,
  };
  const all = { ...shared, ...forSigning, ...forProvisioning };
  await writeFile(join(folder, 'environment.json'), JSON.stringify(all), { mode: 0o600 });
  return {
    signing: { ...shared, ...forSigning },
    provisioning: { ...shared, ...forProvisioning },
    caCertificateFile,
  };
}

async function openToken(hsm: SoftHsm, folder: string, role: Role): Promise<Required<TokenAccess>> {
  const label = `signfleet-${role}`;
  const pinFile = join(folder, `${role}.pin`);
  const pin = await secretFile(pinFile);
  const soPin = await secretFile(join(folder, `${role}.so-pin`));
  if (!(await hsm.tokenLabels()).includes(label)) await hsm.initToken({ label, soPin, pin });
  return { tokenUri: `pkcs11:token=${label}`, pinFile, modulePath: hsm.modulePath };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
