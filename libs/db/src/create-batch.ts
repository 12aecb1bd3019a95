import { z } from 'zod';
import type { Database } from './database.ts';
import { batchDataSql, emitEventsSql } from './emit.ts';
import { DbError } from './error.ts';
import type { Batch } from './generated/client.ts';
import { findIdempotentResource, recordIdempotencySql, type Created } from './idempotency.ts';
import { newId } from './ids.ts';
import type { Signing, SigningRequest } from './signing.ts';
import {
  insertedColumns,
  itemOf,
  itemsSql,
  itemValues,
  submissionParameters,
  usableKey,
  type Submission,
} from './submission.ts';

/** Most items of one batch. */
export const MAX_BATCH_ITEMS = 10_000;

/** An item of a batch that was not accepted. `index` is its place in the caller's list. */
export interface Rejection {
  readonly index: number;
  readonly code: string;
  readonly message: string;
}

const insertBatch = {
  name: 'batch_create',
  text: `WITH ${itemsSql},
    one AS (SELECT 1),
    recorded AS (${recordIdempotencySql('one')}),
    accepted AS (
      SELECT i.*, k.user_id FROM item i LEFT JOIN keys k ON ${usableKey}
      WHERE $2::text IS NULL OR EXISTS (SELECT 1 FROM recorded)
    ),
    counted AS (
      SELECT (count(user_id))::int AS total,
        coalesce(jsonb_agg(jsonb_build_object('index', "batchIndex", 'code', 'key_not_usable',
          'message', 'there is no such active key') ORDER BY "batchIndex")
          FILTER (WHERE user_id IS NULL), '[]') AS rejections
      FROM accepted
    ),
    batch AS (
      INSERT INTO batches (id, tenant_id, api_key_id, total, remaining, rejections, metadata, completed_at)
      SELECT $4, $1, $5, total, total, $7::jsonb || rejections, $8::jsonb,
        CASE WHEN total = 0 THEN now() END
      FROM counted WHERE $2::text IS NULL OR EXISTS (SELECT 1 FROM recorded)
      RETURNING *
    ),
    created AS (
      INSERT INTO signings (${insertedColumns}, batch_id, batch_index)
      SELECT ${itemValues}, $4, i."batchIndex"
      FROM accepted i JOIN keys k ON ${usableKey}
      RETURNING 1
    ),
    audited AS (
      INSERT INTO audit_entries (tenant_id, actor, action, subject, details)
      SELECT tenant_id, 'api_key:' || $5, 'batch.create', id, jsonb_build_object('total', total)::text
      FROM batch
    ),
    occurred AS (
      SELECT 'batch.completed' AS type, b.id AS subject, b.tenant_id, ${batchDataSql} AS data
      FROM batch b WHERE b.total = 0
    ),
    ${emitEventsSql}
    SELECT id FROM batch`,
  row: z.object({ id: z.string() }),
};

/** An accepted item of a batch. */
export type BatchItem = Pick<Signing, 'id' | 'state' | 'keyId'> & { readonly index: number };

/** A batch, its accepted items by index, and what was refused. */
export interface SubmittedBatch {
  readonly batch: Batch;
  readonly items: readonly BatchItem[];
  readonly rejections: readonly Rejection[];
}

const rejectionList: z.ZodType<Rejection[]> = z.array(
  z.object({ index: z.int(), code: z.string(), message: z.string() }),
);

async function readBatch(db: Database, tenantId: string, id: string): Promise<SubmittedBatch> {
  const batch = await db.prisma.batch.findFirst({ where: { id, tenantId } });
  if (batch === null) throw new DbError('not_found', 'there is no such batch');
  const signings = await db.prisma.signing.findMany({
    where: { batchId: id },
    select: { id: true, state: true, keyId: true, batchIndex: true },
  });
  const items = signings
    .map(({ batchIndex, ...item }) => ({ ...item, index: batchIndex ?? 0 }))
    .sort((a, b) => a.index - b.index);
  return { batch, items, rejections: rejectionList.parse(batch.rejections) };
}

/** What is submitted together. `index` is each item's place in the caller's list. */
export interface BatchSubmission extends Submission {
  readonly items: readonly { readonly index: number; readonly request: SigningRequest }[];
  /** Items that the caller of this function has refused already. */
  readonly rejections?: readonly Rejection[];
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * Accepts up to {@link MAX_BATCH_ITEMS} documents in one statement. An item whose key is not an active
 * key of the tenant is refused by itself, with code `key_not_usable`; a batch of nothing is complete
 * at once. Throws DbError `invalid_input`, `idempotency_mismatch`.
 */
export async function createBatch(
  db: Database,
  o: BatchSubmission,
): Promise<Created<SubmittedBatch>> {
  if (o.items.length > MAX_BATCH_ITEMS) {
    throw new DbError('invalid_input', `a batch has at most ${MAX_BATCH_ITEMS} items`);
  }
  const id = newId('bat');
  const items = o.items.map(({ index, request }) => ({
    ...itemOf(request, request.id ?? newId('sig')),
    batchIndex: index,
  }));
  const [created] = await db.query(insertBatch, [
    ...submissionParameters(o, id, items),
    JSON.stringify(o.rejections ?? []),
    o.metadata === undefined ? null : JSON.stringify(o.metadata),
  ]);
  const earlier = created === undefined ? await findIdempotentResource(db, o) : undefined;
  const resource = await readBatch(db, o.tenantId, earlier ?? id);
  return { resource, replayed: created === undefined };
}
