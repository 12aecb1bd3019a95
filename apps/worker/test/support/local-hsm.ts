import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCeremony } from '@signfleet/hsm';
import { createSoftHsm } from '@signfleet/local-stack';
import { encodePem, issueCaCertificate, randomSerialNumber } from '@signfleet/pki';

const SIGNING_PIN = '246810';
const PROVISIONING_PIN = '135791';

/** The environment variables that point a worker to a SoftHSM2 on which the ceremony was held. */
export type HsmEnvironment = Readonly<
  Record<
    | 'SOFTHSM2_CONF'
    | 'HSM_MODULE'
    | 'HSM_SIGNING_TOKEN_URI'
    | 'HSM_SIGNING_PIN_FILE'
    | 'HSM_PROVISIONING_TOKEN_URI'
    | 'HSM_PROVISIONING_PIN_FILE'
    | 'ENROLMENT_PUBLIC_KEY_FILE'
    | 'CA_CERTIFICATE_FILE',
    string
  >
>;

/**
 * Two tokens in a private SoftHSM2 and the real ceremony on them. Sets SOFTHSM2_CONF of this process
 * too: the module reads it once, when it is loaded.
 */
export async function createLocalHsm(directory: string): Promise<HsmEnvironment> {
  const softHsm = await createSoftHsm({ directory });
  process.env['SOFTHSM2_CONF'] = softHsm.configPath;
  const at = (name: string): string => join(directory, name);
  await softHsm.initToken({ label: 'signing', soPin: '99887766', pin: SIGNING_PIN });
  await softHsm.initToken({ label: 'provisioning', soPin: '99887766', pin: PROVISIONING_PIN });
  await writeFile(at('signing.pin'), SIGNING_PIN, { mode: 0o600 });
  await writeFile(at('provisioning.pin'), PROVISIONING_PIN, { mode: 0o600 });
  const { modulePath } = softHsm;
  const signing = { tokenUri: 'pkcs11:token=signing', pinFile: at('signing.pin'), modulePath };
  const provisioning = {
    tokenUri: 'pkcs11:token=provisioning',
    pinFile: at('provisioning.pin'),
    modulePath,
  };
  const now = Date.now();
  const report = await runCeremony({
    signing,
    provisioning,
    recoveryKeyFile: at('recovery.key'),
    backupFile: at('backup.json'),
    caAlgorithm: 'P-256',
    issueCaCertificate: (signer) =>
      issueCaCertificate({
        signer,
        subject: { commonName: 'Worker test CA', organization: 'signfleet tests', country: 'SE' },
        validity: {
          notBefore: new Date(now - 3_600_000),
          notAfter: new Date(now + 10 * 365 * 86_400_000),
        },
        serialNumber: randomSerialNumber(),
      }),
  });
  await writeFile(at('enrolment.pem'), encodePem('PUBLIC KEY', report.enrolmentPublicKey));
  await writeFile(at('ca.pem'), encodePem('CERTIFICATE', report.caCertificate));
  return {
    SOFTHSM2_CONF: softHsm.configPath,
    HSM_MODULE: modulePath,
    HSM_SIGNING_TOKEN_URI: signing.tokenUri,
    HSM_SIGNING_PIN_FILE: signing.pinFile,
    HSM_PROVISIONING_TOKEN_URI: provisioning.tokenUri,
    HSM_PROVISIONING_PIN_FILE: provisioning.pinFile,
    ENROLMENT_PUBLIC_KEY_FILE: at('enrolment.pem'),
    CA_CERTIFICATE_FILE: at('ca.pem'),
  };
}
