import { z } from 'zod';
import type { Database } from './database.ts';
import { DbError } from './error.ts';

const eventRow = z.object({
  id: z.string(),
  type: z.string(),
  subject: z.string(),
  data: z.json(),
  createdAt: z.date(),
  cursor: z.string(),
});

/** What happened. `cursor` is the place of the event in the tenant's stream. */
export type StreamedEvent = Readonly<z.infer<typeof eventRow>>;

const columns = `id, type, subject, data, created_at AS "createdAt",
  transaction_id || '.' || sequence AS cursor`;

// An event of a transaction still running would appear behind the reader: none at or after the oldest
// such transaction is shown yet.
const list = {
  name: 'event_list',
  text: `SELECT ${columns} FROM events
    WHERE tenant_id = $1 AND (transaction_id, sequence) > ($2::bigint, $3::bigint)
      AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY transaction_id, sequence LIMIT $4`,
  row: eventRow,
};

const cursorShape = /^(\d{1,18})\.(\d{1,18})$/;

/** Events after a cursor, oldest first; none is missed and none comes twice to who goes on from the last cursor. */
export async function listEvents(
  db: Database,
  o: { readonly tenantId: string; readonly after?: string; readonly limit: number },
): Promise<StreamedEvent[]> {
  const [, transaction, sequence] = cursorShape.exec(o.after ?? '0.0') ?? [];
  if (transaction === undefined || sequence === undefined) {
    throw new DbError('invalid_input', 'the cursor is not one of this list');
  }
  return db.query(list, [o.tenantId, transaction, sequence, o.limit]);
}
