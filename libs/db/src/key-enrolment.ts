import { z } from 'zod';
import type { WrappedKey, ClaimRefusal } from './claim-signing.ts';
import type { NewCertificate } from './certificates.ts';
import type { Database } from './database.ts';
import { emitEventsSql } from './emit.ts';
import type { Finished } from './finish-signing.ts';
import { newId } from './ids.ts';
import { GRACE_SECONDS } from './signing.ts';

const claimRow = z.object({
  keyId: z.string(),
  tenantId: z.string(),
  userId: z.string(),
  algorithm: z.string(),
  certificateMode: z.enum(['builtin', 'csr']),
  fencingToken: z.int(),
  attempts: z.int(),
  name: z.string(),
  email: z.string().nullable(),
  organization: z.string().nullable(),
  country: z.string().nullable(),
});

/** A key to be generated, held by one worker until its lease expires, with its user's name. */
export type ClaimedKeyEnrolment = Readonly<z.infer<typeof claimRow>>;

const claim = {
  name: 'key_claim',
  text: `WITH claimed AS (
      UPDATE keys SET fencing_token = fencing_token + 1, attempts = attempts + 1, worker_id = $2,
        lease_expires_at = now() + make_interval(secs => $3), wake_at = now() + make_interval(secs => $3)
      WHERE id = $1 AND state = 'pending' AND (lease_expires_at IS NULL OR lease_expires_at < now())
      RETURNING *
    )
    SELECT k.id AS "keyId", k.tenant_id AS "tenantId", k.user_id AS "userId", k.algorithm,
      k.certificate_mode AS "certificateMode", k.fencing_token AS "fencingToken", k.attempts,
      u.name, u.email, u.organization, u.country
    FROM claimed k JOIN users u ON u.id = k.user_id`,
  row: claimRow,
};

/** Takes a pending key, or one whose holder's lease has expired: of concurrent claims one wins. */
export async function claimKeyEnrolment(
  db: Database,
  o: { readonly id: string; readonly workerId: string; readonly leaseSeconds: number },
): Promise<ClaimedKeyEnrolment | ClaimRefusal> {
  const [row] = await db.query(claim, [o.id, o.workerId, o.leaseSeconds]);
  if (row !== undefined) return row;
  const key = await db.prisma.key.findUnique({ where: { id: o.id }, select: { state: true } });
  if (key === null) return { refused: 'not_found' };
  return { refused: key.state === 'pending' ? 'held' : 'not_queued' };
}

const held = `id = $1 AND fencing_token = $2 AND state = 'pending' AND lease_expires_at IS NOT NULL`;

const keyDataSql = `jsonb_strip_nulls(jsonb_build_object('id', k.id, 'userId', k.user_id,
  'algorithm', k.algorithm, 'state', k.state, 'certificateMode', k.certificate_mode,
  'certificateId', k.active_certificate_id,
  'error', CASE WHEN k.state = 'failed' THEN
    jsonb_build_object('code', k.error_code, 'message', k.error_message) END))`;

const selectFinished = `SELECT (SELECT count(*)::int FROM finished) AS finished,
  ARRAY(SELECT id FROM delivery) AS "deliveryIds"`;

const finishedRow = z.object({ finished: z.int(), deliveryIds: z.array(z.string()) });

const complete = {
  name: 'key_complete',
  text: `WITH held AS (SELECT * FROM keys WHERE ${held} FOR UPDATE),
    certificate AS (
      INSERT INTO certificates (id, tenant_id, key_id, der, chain, serial_number, subject, issuer,
        not_before, not_after)
      SELECT $8, tenant_id, id, $9::bytea, $10::bytea[], $11, $12, $13, $14, $15 FROM held
      WHERE $9::bytea IS NOT NULL
      RETURNING id
    ),
    finished AS (
      UPDATE keys k SET public_key = $3, key_encryption_key_id = $4, wrapped_key = $5,
        binding_signature = $6, csr = $7, lease_expires_at = NULL, wake_at = NULL,
        error_code = NULL, error_message = NULL,
        active_certificate_id = c.id,
        activated_at = CASE WHEN c.id IS NOT NULL THEN now() END,
        state = CASE WHEN c.id IS NULL THEN 'awaiting_certificate' ELSE 'active' END::key_state
      FROM held LEFT JOIN certificate c ON true WHERE k.id = held.id
      RETURNING k.*
    ),
    audited AS (
      INSERT INTO audit_entries (tenant_id, actor, action, subject, details)
      SELECT tenant_id, 'worker:' || worker_id, 'key.enrol', id,
        jsonb_build_object('userId', user_id, 'algorithm', algorithm, 'state', state,
          'keyEncryptionKeyId', key_encryption_key_id, 'certificateId', active_certificate_id,
          'publicKeySha256', encode(sha256(public_key), 'hex'))::text
      FROM finished
    ),
    occurred AS (
      SELECT 'key.enrolled' AS type, k.id AS subject, k.tenant_id, ${keyDataSql} AS data FROM finished k
    ),
    ${emitEventsSql}
    ${selectFinished}`,
  row: finishedRow,
};

/** What enrolment made: the bound record, and a certificate of the built-in CA or a CSR for an outside one. */
export interface KeyEnrolment {
  readonly record: Pick<
    WrappedKey,
    'publicKey' | 'keyEncryptionKeyId' | 'wrappedKey' | 'bindingSignature'
  >;
  readonly certificate?: NewCertificate;
  /** PKCS#10, DER. */
  readonly csr?: Uint8Array;
}

/**
 * Stores an enrolled key, if the claim is still the newest: `active` with a certificate,
 * `awaiting_certificate` without. Writes the event `key.enrolled`.
 */
export async function completeKeyEnrolment(
  db: Database,
  o: { readonly id: string; readonly fencingToken: number } & KeyEnrolment,
): Promise<Finished<'active' | 'awaiting_certificate'>> {
  const { record, certificate } = o;
  const [done] = await db.query(complete, [
    o.id,
    o.fencingToken,
    record.publicKey,
    record.keyEncryptionKeyId,
    record.wrappedKey,
    record.bindingSignature,
    o.csr ?? null,
    newId('crt'),
    certificate?.der ?? null,
    certificate?.issuers.map((issuer) => Buffer.from(issuer)) ?? [],
    certificate?.serialNumber ?? null,
    certificate?.subject ?? null,
    certificate?.issuer ?? null,
    certificate?.notBefore ?? null,
    certificate?.notAfter ?? null,
  ]);
  if (done === undefined || done.finished === 0) return { outcome: 'fenced' };
  const outcome = certificate === undefined ? 'awaiting_certificate' : 'active';
  return { outcome, deliveryIds: done.deliveryIds };
}

const fail = {
  name: 'key_fail',
  text: `WITH finished AS (
      UPDATE keys SET state = 'failed', lease_expires_at = NULL, wake_at = NULL,
        error_code = $3, error_message = $4
      WHERE ${held}
      RETURNING *
    ),
    audited AS (
      INSERT INTO audit_entries (tenant_id, actor, action, subject, details)
      SELECT tenant_id, 'worker:' || worker_id, 'key.fail', id,
        jsonb_build_object('errorCode', error_code)::text
      FROM finished
    ),
    occurred AS (
      SELECT 'key.failed' AS type, k.id AS subject, k.tenant_id, ${keyDataSql} AS data FROM finished k
    ),
    ${emitEventsSql}
    ${selectFinished}`,
  row: finishedRow,
};

/** Why an enrolment ended or is to be tried again; the message is shown to the caller. */
export interface KeyEnrolmentFault {
  readonly id: string;
  readonly fencingToken: number;
  readonly errorCode: string;
  readonly errorMessage: string;
}

/** Ends a claimed enrolment without a key. Writes the event `key.failed`. */
export async function failKeyEnrolment(
  db: Database,
  o: KeyEnrolmentFault,
): Promise<Finished<'failed'>> {
  const [done] = await db.query(fail, [o.id, o.fencingToken, o.errorCode, o.errorMessage]);
  if (done === undefined || done.finished === 0) return { outcome: 'fenced' };
  return { outcome: 'failed', deliveryIds: done.deliveryIds };
}

const release = {
  name: 'key_release',
  text: `UPDATE keys SET lease_expires_at = NULL, worker_id = NULL, error_code = $4, error_message = $5,
      wake_at = now() + make_interval(secs => $3::double precision + ${GRACE_SECONDS})
    WHERE ${held} RETURNING id`,
  row: z.object({ id: z.string() }),
};

/** Gives a claimed enrolment back to be tried again in `retryInMs`. */
export async function releaseKeyEnrolment(
  db: Database,
  o: KeyEnrolmentFault & { readonly retryInMs: number },
): Promise<'released' | 'fenced'> {
  const values = [o.id, o.fencingToken, o.retryInMs / 1000, o.errorCode, o.errorMessage];
  const rows = await db.query(release, values);
  return rows.length === 0 ? 'fenced' : 'released';
}
