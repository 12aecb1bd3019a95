import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Database, PrismaTransaction, StatementRunner } from './database.ts';
import { DbError } from './error.ts';

/** Makes a submission repeatable: the same key and request are answered by what the first one made. */
export interface Idempotency {
  /** The caller's Idempotency-Key, unique in the tenant. */
  readonly key: string;
  /** SHA-256 of the canonical request. */
  readonly requestHash: Uint8Array;
}

/** What a creating function hands back; `replayed` when an earlier submission made it. */
export interface Created<Resource> {
  readonly resource: Resource;
  readonly replayed: boolean;
}

const findRecord = {
  name: 'idempotency_find',
  text: `SELECT request_hash AS "requestHash", resource_id AS "resourceId"
    FROM idempotency_records WHERE tenant_id = $1 AND key = $2`,
  row: z.object({ requestHash: z.instanceof(Uint8Array), resourceId: z.string() }),
};

/**
 * Id of what an earlier submission with this key made, or undefined if there was none. Throws DbError
 * `idempotency_mismatch` if it was another request.
 */
export async function findIdempotentResource(
  db: StatementRunner,
  o: { tenantId: string; idempotency?: Idempotency },
): Promise<string | undefined> {
  if (o.idempotency === undefined) return undefined;
  const [record] = await db.query(findRecord, [o.tenantId, o.idempotency.key]);
  if (record === undefined) return undefined;
  const { requestHash } = o.idempotency;
  if (
    record.requestHash.length !== requestHash.length ||
    !timingSafeEqual(record.requestHash, requestHash)
  ) {
    throw new DbError('idempotency_mismatch', 'this idempotency key was used with another request');
  }
  return record.resourceId;
}

/**
 * SQL that records an idempotency key for the one row of `from`, or does nothing when the key ($2) is
 * null. A concurrent submission with the same key waits here until the first one commits.
 * Parameters: $1 tenant, $2 key, $3 request hash, $4 resource id.
 */
export function recordIdempotencySql(from: string): string {
  return `INSERT INTO idempotency_records (tenant_id, key, request_hash, resource_id)
    SELECT $1, $2::text, $3::bytea, $4 FROM ${from} WHERE $2::text IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING 1`;
}

/**
 * Runs `write` in a transaction, at most once for an idempotency key; a repetition gets what `read`
 * finds under the id that the first one recorded.
 */
export async function createOnce<Resource>(
  db: Database,
  o: { readonly tenantId: string; readonly id: string; readonly idempotency?: Idempotency },
  write: (tx: PrismaTransaction) => Promise<Resource>,
  read: (id: string) => Promise<Resource>,
): Promise<Created<Resource>> {
  const { tenantId, id, idempotency } = o;
  const created = await db.prismaTransaction(async (tx) => {
    if (idempotency !== undefined) {
      const { key, requestHash } = idempotency;
      const record = { tenantId, key, requestHash: Buffer.from(requestHash), resourceId: id };
      const { count } = await tx.idempotencyRecord.createMany({
        data: [record],
        skipDuplicates: true,
      });
      if (count === 0) return undefined;
    }
    return { resource: await write(tx) };
  });
  if (created !== undefined) return { ...created, replayed: false };
  const earlier = await findIdempotentResource(db, o);
  return { resource: await read(earlier ?? id), replayed: true };
}
