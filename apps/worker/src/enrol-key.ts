import {
  claimKeyEnrolment,
  completeKeyEnrolment,
  type ClaimedKeyEnrolment,
  type Database,
  type KeyEnrolment,
} from '@signfleet/db';
import type { ProvisioningToken } from '@signfleet/hsm';
import type { JobOutcome } from '@signfleet/jobs';
import {
  certificationRequest,
  issueSigningCertificate,
  parseCertificate,
  parseKeyAlgorithm,
  randomSerialNumber,
  type CertificateProfile,
  type DistinguishedName,
} from '@signfleet/pki';
import { withinDeadline } from './deadline.ts';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';
import { afterRefusal } from './refusal.ts';
import { settleEnrolment } from './settle-enrolment.ts';

/** What enrolment needs. */
export interface EnrolmentContext {
  readonly database: Database;
  readonly token: ProvisioningToken;
  /** DER, of the built-in CA. */
  readonly caCertificate: Uint8Array;
  readonly profile: CertificateProfile;
  readonly validityDays: number;
  /** Wakes up the webhook deliveries that a transition has written. Never throws. */
  readonly announce: (deliveryIds: readonly string[]) => Promise<void>;
  readonly workerId: string;
  readonly maxAttempts: number;
  /** Seconds for one attempt, fewer than {@link ENROLMENT_LEASE_SECONDS}. */
  readonly timeoutSeconds: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Longer than any HSM takes for an RSA-4096 pair and the signatures after it. */
export const ENROLMENT_LEASE_SECONDS = 300;

/** Certificates are valid from a little earlier, for verifiers whose clock is behind. */
const CLOCK_SKEW_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * Makes one user's key: generated in the HSM, wrapped, bound to its owner, certified or requested a
 * certificate for. Run twice, the row ends up with one key: the claim that comes second in the
 * database is refused, and its pair, which exists nowhere else, is gone.
 */
export async function enrolKey(context: EnrolmentContext, id: string): Promise<JobOutcome> {
  const { database, workerId, metrics } = context;
  const log = context.log.child({ keyId: id });
  const claimed = await claimKeyEnrolment(database, {
    id,
    workerId,
    leaseSeconds: ENROLMENT_LEASE_SECONDS,
  });
  if ('refused' in claimed) {
    log.debug({ refused: claimed.refused }, 'enrolment not claimed');
    return afterRefusal(claimed);
  }
  const { fencingToken } = claimed;
  try {
    const { timeoutSeconds } = context;
    const enrolment = await withinDeadline(timeoutSeconds, () => makeKey(context, claimed));
    const finished = await completeKeyEnrolment(database, { id, fencingToken, ...enrolment });
    if (finished.outcome === 'fenced') {
      log.warn('enrolment dropped: the row was taken over or revoked');
      return { outcome: 'done' };
    }
    metrics.enrolment('completed', claimed.certificateMode);
    log.info({ algorithm: claimed.algorithm, state: finished.outcome }, 'key enrolled');
    await context.announce(finished.deliveryIds);
    return { outcome: 'done' };
  } catch (error) {
    return await settleEnrolment({ ...context, log }, claimed, error);
  }
}

async function makeKey(
  context: EnrolmentContext,
  claimed: ClaimedKeyEnrolment,
): Promise<KeyEnrolment> {
  const { tenantId, userId, keyId, certificateMode } = claimed;
  const subject = subjectOf(claimed);
  const { record, held: csr } = await context.token.generateWrappedKey(
    { owner: { tenantId, userId, keyId }, algorithm: parseKeyAlgorithm(claimed.algorithm) },
    (signer) =>
      certificateMode === 'csr'
        ? certificationRequest({ signer, subject })
        : Promise.resolve(undefined),
  );
  return csr === undefined
    ? { record, certificate: await certify(context, subject, record.publicKey) }
    : { record, csr };
}

/** A certificate of the built-in CA, no longer valid than the CA itself. */
async function certify(
  context: EnrolmentContext,
  subject: DistinguishedName,
  subjectPublicKey: Uint8Array,
): Promise<NonNullable<KeyEnrolment['certificate']>> {
  const { caCertificate, profile, token } = context;
  const ca = parseCertificate(caCertificate);
  const now = Date.now();
  const notBefore = new Date(Math.max(now - CLOCK_SKEW_MS, ca.notBefore.getTime()));
  const notAfter = new Date(Math.min(now + context.validityDays * DAY_MS, ca.notAfter.getTime()));
  const der = await issueSigningCertificate({
    caSigner: token.caSigner,
    caCertificate,
    subject,
    subjectPublicKey,
    profile,
    serialNumber: randomSerialNumber(),
    validity: { notBefore, notAfter },
  });
  const facts = parseCertificate(der);
  return {
    der,
    issuers: [caCertificate],
    serialNumber: facts.serialNumberHex,
    subject: facts.subject,
    issuer: facts.issuer,
    notBefore: facts.notBefore,
    notAfter: facts.notAfter,
  };
}

/** The user's name as X.500 knows it; the id tells apart two users of one name. */
function subjectOf(claimed: ClaimedKeyEnrolment): DistinguishedName {
  return {
    commonName: claimed.name,
    // PrintableString has no underscore.
    serialNumber: claimed.userId.replace('_', '-'),
    ...(claimed.organization === null ? {} : { organization: claimed.organization }),
    ...(claimed.country === null ? {} : { country: claimed.country }),
    ...(claimed.email === null ? {} : { email: claimed.email }),
  };
}
