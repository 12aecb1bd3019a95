import { parseCertificate, parsePem, type CertificateProfile } from '@signfleet/pki';
import { announcer } from './announce.ts';
import { readConfiguredFile, type WorkerConfig } from './config.ts';
import { openPersistently } from './dependency.ts';
import { ENROLMENT_LEASE_SECONDS, enrolKey } from './enrol-key.ts';
import { runJobs } from './job-runner.ts';
import {
  ENROLMENT_SESSIONS,
  openConfiguredProvisioningToken,
  waitForOtherPin,
} from './open-tokens.ts';
import type { WorkerContext } from './worker.ts';

/** Of the jobs lib's policy for enrolments, once its delays have reached their ceiling. */
const MEAN_DELAY_SECONDS = 60;

/** Starts the role `enrol`: resolves when it takes jobs, waits for the HSM for as long as it takes. */
export async function startEnrolling(context: WorkerContext): Promise<void> {
  const { config, database, dependencies, log, metrics, resources, stopping } = context;
  const issuing = {
    caCertificate: readCaCertificate(config),
    profile: certificateProfile(config),
    validityDays: config.CERTIFICATE_VALIDITY_DAYS,
  };
  const name = 'hsm_provisioning';
  dependencies.expect(name);
  const token = await openPersistently({
    name,
    open: () => openConfiguredProvisioningToken(config),
    signal: stopping,
    dependencies,
    log,
    beforeRetry: (error) =>
      waitForOtherPin(error, config.HSM_PROVISIONING_PIN_FILE ?? '', stopping),
  });
  resources.use('provisioning token', token, (opened) => opened.close());
  dependencies.opened(name, () => token.health());
  const shared = {
    ...issuing,
    database,
    token,
    announce: announcer(context),
    workerId: config.workerId,
    maxAttempts: Math.ceil(config.SIGNING_GIVE_UP_SECONDS / MEAN_DELAY_SECONDS),
    timeoutSeconds: ENROLMENT_LEASE_SECONDS * 0.8,
    log,
    metrics,
  };
  await runJobs(context, {
    kind: 'enrol-key',
    concurrency: ENROLMENT_SESSIONS,
    work: (id) => enrolKey(shared, id),
  });
}

/** The first certificate of the file. @throws PkiError, WorkerError `config_invalid`. */
function readCaCertificate(config: WorkerConfig): Uint8Array {
  const path = config.CA_CERTIFICATE_FILE ?? '';
  const pem = readConfiguredFile('CA_CERTIFICATE_FILE', path).toString('latin1');
  const [certificate = new Uint8Array()] = parsePem('CERTIFICATE', pem);
  parseCertificate(certificate);
  return certificate;
}

function certificateProfile(config: WorkerConfig): CertificateProfile {
  const { CRL_URL: crlUrl, CERTIFICATE_POLICY_OID: policyOid } = config;
  return {
    ...(crlUrl === undefined ? {} : { crlUrls: [crlUrl] }),
    ...(policyOid === undefined ? {} : { policyOids: [policyOid] }),
  };
}
