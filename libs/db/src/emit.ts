import { derivedIdSql } from './ids.ts';
import { GRACE_SECONDS } from './signing.ts';

/** What is announced, to webhooks and to readers of events. */
export type EventType =
  | 'signing.completed'
  | 'signing.failed'
  | 'signing.canceled'
  | 'batch.completed'
  | 'key.enrolled'
  | 'key.failed';

/** SQL for a timestamptz expression as RFC 3339 text in UTC. */
export function rfc3339Sql(expression: string): string {
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/**
 * CTEs that write one event for each row of the relation `occurred` (type, subject, tenant_id, data)
 * and one delivery for each enabled endpoint that wants it. The event's id derives from type and
 * subject, so that it exists once whatever is repeated. The ids of the new deliveries are in `delivery`.
 */
export const emitEventsSql = `
  event AS (
    INSERT INTO events (id, tenant_id, type, subject, data)
    SELECT ${derivedIdSql('evt', `o.type || ':' || o.subject`)}, o.tenant_id, o.type, o.subject, o.data
    FROM occurred o
    ON CONFLICT (id) DO NOTHING
    RETURNING id, tenant_id, type
  ),
  delivery AS (
    INSERT INTO webhook_deliveries (id, tenant_id, event_id, endpoint_id, wake_at)
    SELECT ${derivedIdSql('whd', `e.id || ':' || w.id`)}, e.tenant_id, e.id, w.id,
      now() + interval '${GRACE_SECONDS} seconds'
    FROM event e
    JOIN webhook_endpoints w ON w.tenant_id = e.tenant_id AND w.enabled AND w.deleted_at IS NULL
      AND (w.event_types = '{}' OR e.type = ANY (w.event_types))
    RETURNING id
  )`;

/** SQL for the data of an event about the signing `s`. */
const signingDataSql = `jsonb_strip_nulls(jsonb_build_object(
    'id', s.id, 'batchId', s.batch_id, 'batchIndex', s.batch_index, 'userId', s.user_id, 'keyId', s.key_id,
    'state', s.state,
    'source', jsonb_build_object('bucket', s.source_bucket, 'key', s.source_key,
      'versionId', s.source_version_id, 'sha256', s.source_sha256),
    'destination', jsonb_build_object('bucket', s.destination_bucket, 'key', s.destination_key,
      'versionId', s.result_version_id, 'sha256', s.result_sha256, 'size', s.result_size),
    'level', s.level,
    'error', CASE WHEN s.error_code IS NOT NULL AND s.state = 'failed' THEN
      jsonb_build_object('code', s.error_code, 'message', s.error_message) END,
    'createdAt', ${rfc3339Sql('s.created_at')}, 'finishedAt', ${rfc3339Sql('s.finished_at')}))
  || CASE WHEN s.metadata IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('metadata', s.metadata) END`;

/** SQL for the data of an event about the batch `b`. */
export const batchDataSql = `jsonb_build_object(
    'id', b.id, 'total', b.total, 'completed', b.completed, 'failed', b.failed, 'canceled', b.canceled,
    'createdAt', ${rfc3339Sql('b.created_at')}, 'completedAt', ${rfc3339Sql('b.completed_at')})`;

/**
 * CTEs that follow from the signings in `finished`, which have just become final: the counters of
 * their batches, the events, their deliveries. The batch is updated by a join and not by a
 * sub-select: when another transaction holds it, PostgreSQL rechecks the row with the joined values
 * instead of running the data-modifying CTE again.
 */
export const finishSigningsSql = `
  finished_in_batch AS (
    SELECT batch_id, count(*)::int AS finished,
      (count(*) FILTER (WHERE state = 'completed'))::int AS completed,
      (count(*) FILTER (WHERE state = 'failed'))::int AS failed,
      (count(*) FILTER (WHERE state = 'canceled'))::int AS canceled
    FROM finished WHERE batch_id IS NOT NULL GROUP BY batch_id
  ),
  batch AS (
    UPDATE batches b SET
      remaining = b.remaining - f.finished,
      completed = b.completed + f.completed,
      failed = b.failed + f.failed,
      canceled = b.canceled + f.canceled,
      completed_at = CASE WHEN b.remaining = f.finished THEN now() END
    FROM finished_in_batch f WHERE b.id = f.batch_id
    RETURNING b.*
  ),
  occurred AS (
    SELECT 'signing.' || s.state AS type, s.id AS subject, s.tenant_id, ${signingDataSql} AS data
    FROM finished s
    UNION ALL
    SELECT 'batch.completed', b.id, b.tenant_id, ${batchDataSql}
    FROM batch b WHERE b.remaining = 0
  ),
  ${emitEventsSql}`;
