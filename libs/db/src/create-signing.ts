import type { Database } from './database.ts';
import { DbError } from './error.ts';
import { findIdempotentResource, recordIdempotencySql, type Created } from './idempotency.ts';
import { newId } from './ids.ts';
import { signingColumns, signingRow, type Signing, type SigningRequest } from './signing.ts';
import {
  insertedColumns,
  itemOf,
  itemsSql,
  itemValues,
  submissionParameters,
  usableKey,
  type Submission,
} from './submission.ts';

const insertSigning = {
  name: 'signing_create',
  text: `WITH ${itemsSql},
    usable AS (SELECT k.id FROM item i JOIN keys k ON ${usableKey}),
    recorded AS (${recordIdempotencySql('usable')}),
    created AS (
      INSERT INTO signings (${insertedColumns})
      SELECT ${itemValues} FROM item i JOIN keys k ON ${usableKey}
      WHERE $2::text IS NULL OR EXISTS (SELECT 1 FROM recorded)
      RETURNING *
    ),
    audited AS (
      INSERT INTO audit_entries (tenant_id, actor, action, subject, details)
      SELECT tenant_id, 'api_key:' || $5, 'signing.create', id,
        jsonb_build_object('keyId', key_id, 'userId', user_id)::text
      FROM created
    )
    SELECT ${signingColumns('created')} FROM created`,
  row: signingRow,
};

/**
 * Accepts one document, state `queued`. Throws DbError `not_found` when the tenant has no such active
 * key, `idempotency_mismatch`.
 */
export async function createSigning(
  db: Database,
  o: Submission & { readonly request: SigningRequest },
): Promise<Created<Signing>> {
  const id = o.request.id ?? newId('sig');
  const [created] = await db.query(
    insertSigning,
    submissionParameters(o, id, [itemOf(o.request, id)]),
  );
  if (created !== undefined) return { resource: created, replayed: false };
  const earlier = await findIdempotentResource(db, o);
  const resource =
    earlier === undefined
      ? null
      : await db.prisma.signing.findFirst({ where: { id: earlier, tenantId: o.tenantId } });
  if (resource === null) throw new DbError('not_found', 'there is no such active key');
  return { resource, replayed: true };
}
