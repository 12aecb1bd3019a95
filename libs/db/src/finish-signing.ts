import { z } from 'zod';
import type { Database } from './database.ts';
import { finishSigningsSql } from './emit.ts';
import { DbError } from './error.ts';
import type { SigningResult } from './signing.ts';

/** A transition done, with the webhook deliveries that it made, or refused to an outdated claim. */
export type Finished<Outcome extends string> =
  | { readonly outcome: Outcome; readonly deliveryIds: readonly string[] }
  | { readonly outcome: 'fenced' };

const row = z.object({ finished: z.int(), deliveryIds: z.array(z.string()) });

const selectFinished = `SELECT (SELECT count(*)::int FROM finished) AS finished,
  ARRAY(SELECT id FROM delivery) AS "deliveryIds"`;

const complete = {
  name: 'signing_complete',
  text: `WITH finished AS (
      UPDATE signings SET state = 'completed', lease_expires_at = NULL, wake_at = NULL, finished_at = now(),
        result_sha256 = $3, result_size = $4, result_version_id = $5, result_etag = $6, level = $7,
        certificate_id = $8, stage_millis = $9::jsonb, error_code = NULL, error_message = NULL
      WHERE id = $1 AND fencing_token = $2 AND state = 'signing'
      RETURNING *
    ),
    audited AS (
      INSERT INTO audit_entries (tenant_id, actor, action, subject, details)
      SELECT tenant_id, 'worker:' || worker_id, 'signing.complete', id,
        jsonb_build_object('keyId', key_id, 'fencingToken', fencing_token, 'certificateId', certificate_id,
          'sha256', result_sha256, 'destinationBucket', destination_bucket,
          'destinationKey', destination_key, 'versionId', result_version_id)::text
      FROM finished
    ),
    ${finishSigningsSql}
    ${selectFinished}`,
  row,
};

/**
 * Records the signed document, if the claim is still the newest. Row, batch counters, events, webhook
 * deliveries and audit entry are one statement and so one transaction.
 */
export async function completeSigning(
  db: Database,
  o: { readonly id: string; readonly fencingToken: number; readonly result: SigningResult },
): Promise<Finished<'completed'>> {
  const { sha256, size, versionId, etag, level, certificateId, stageMillis } = o.result;
  const [done] = await db.query(complete, [
    o.id,
    o.fencingToken,
    sha256,
    size,
    versionId ?? null,
    etag ?? null,
    level,
    certificateId,
    JSON.stringify(stageMillis),
  ]);
  if (done === undefined || done.finished === 0) return { outcome: 'fenced' };
  return { outcome: 'completed', deliveryIds: done.deliveryIds };
}

const fail = {
  name: 'signing_fail',
  text: `WITH finished AS (
      UPDATE signings SET state = 'failed', lease_expires_at = NULL, wake_at = NULL, finished_at = now(),
        error_code = $3, error_message = $4, stage_millis = $5::jsonb
      WHERE id = $1 AND fencing_token = $2 AND state = 'signing'
      RETURNING *
    ),
    audited AS (
      INSERT INTO audit_entries (tenant_id, actor, action, subject, details)
      SELECT tenant_id, 'worker:' || worker_id, 'signing.fail', id,
        jsonb_build_object('keyId', key_id, 'fencingToken', fencing_token, 'errorCode', error_code)::text
      FROM finished
    ),
    ${finishSigningsSql}
    ${selectFinished}`,
  row,
};

/** Ends a claimed signing without a document; the message is shown to the caller. */
export async function failSigning(
  db: Database,
  o: {
    readonly id: string;
    readonly fencingToken: number;
    readonly errorCode: string;
    readonly errorMessage: string;
    readonly stageMillis?: Readonly<Record<string, number>>;
  },
): Promise<Finished<'failed'>> {
  const stageMillis = o.stageMillis === undefined ? null : JSON.stringify(o.stageMillis);
  const values = [o.id, o.fencingToken, o.errorCode, o.errorMessage, stageMillis];
  const [done] = await db.query(fail, values);
  if (done === undefined || done.finished === 0) return { outcome: 'fenced' };
  return { outcome: 'failed', deliveryIds: done.deliveryIds };
}

function cancelStatement(name: string, which: string) {
  return {
    name,
    text: `WITH finished AS (
        UPDATE signings SET state = 'canceled', wake_at = NULL, finished_at = now()
        WHERE ${which} = $1 AND tenant_id = $2 AND state = 'queued'
        RETURNING *
      ),
      audited AS (
        INSERT INTO audit_entries (tenant_id, actor, action, subject, details)
        SELECT tenant_id, $3, 'signing.cancel', id, '{}' FROM finished
      ),
      ${finishSigningsSql}
      ${selectFinished}`,
    row,
  };
}

const cancelOne = cancelStatement('signing_cancel', 'id');
const cancelAll = cancelStatement('batch_cancel', 'batch_id');

/** Who cancels what: `actor` as in the audit log, e.g. `api_key:api_…`. */
export interface Cancellation {
  readonly tenantId: string;
  readonly id: string;
  readonly actor: string;
}

/**
 * Cancels a signing that no worker holds. An attempt that ended without learning whether its document
 * was stored may have left it at the destination. Throws DbError `not_found`, `invalid_state`.
 */
export async function cancelSigning(
  db: Database,
  o: Cancellation,
): Promise<{ readonly deliveryIds: readonly string[] }> {
  const [done] = await db.query(cancelOne, [o.id, o.tenantId, o.actor]);
  if (done !== undefined && done.finished > 0) return { deliveryIds: done.deliveryIds };
  const where = { id: o.id, tenantId: o.tenantId };
  const found = await db.prisma.signing.findFirst({ where, select: { state: true } });
  if (found === null) throw new DbError('not_found', 'there is no such signing');
  throw new DbError('invalid_state', 'only a queued signing can be canceled', {
    details: { state: found.state },
  });
}

/** Cancels what is still queued of a batch and says how many. Throws DbError `not_found`. */
export async function cancelBatch(
  db: Database,
  o: Cancellation,
): Promise<{ readonly canceled: number; readonly deliveryIds: readonly string[] }> {
  const [done] = await db.query(cancelAll, [o.id, o.tenantId, o.actor]);
  if (done !== undefined && done.finished > 0) {
    return { canceled: done.finished, deliveryIds: done.deliveryIds };
  }
  const where = { id: o.id, tenantId: o.tenantId };
  const found = await db.prisma.batch.findFirst({ where, select: { id: true } });
  if (found === null) throw new DbError('not_found', 'there is no such batch');
  return { canceled: 0, deliveryIds: [] };
}
