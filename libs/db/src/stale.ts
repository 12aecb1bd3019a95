import { z } from 'zod';
import type { Database, Statement } from './database.ts';

interface Stale {
  readonly limit: number;
  /** Seconds until the same row is handed out again, if it shows no sign of life; default 300. */
  readonly againAfterSeconds?: number;
}

/**
 * Takes rows whose time to wake has passed and puts that time off, so that reconcilers running
 * together get different rows and one that dies delays them only.
 */
function takeStale(table: string): Statement<{ id: string }> {
  return {
    name: `stale_${table}`,
    text: `UPDATE ${table} SET wake_at = now() + make_interval(secs => $2)
      WHERE id IN (
        SELECT id FROM ${table} WHERE wake_at < now() ORDER BY wake_at LIMIT $1 FOR UPDATE SKIP LOCKED
      ) RETURNING id`,
    row: z.object({ id: z.string() }),
  };
}

const signings = takeStale('signings');
const keys = takeStale('keys');
const deliveries = takeStale('webhook_deliveries');

async function take(
  db: Database,
  statement: Statement<{ id: string }>,
  o: Stale,
): Promise<string[]> {
  const rows = await db.query(statement, [o.limit, o.againAfterSeconds ?? 300]);
  return rows.map(({ id }) => id);
}

/** Ids of signings that should be enqueued again: queued or with an expired lease, and no sign of life. */
export async function takeStaleSignings(db: Database, o: Stale): Promise<string[]> {
  return take(db, signings, o);
}

/** Ids of keys whose enrolment should be enqueued again. */
export async function takeStaleKeys(db: Database, o: Stale): Promise<string[]> {
  return take(db, keys, o);
}

/** Ids of webhook deliveries that should be enqueued again. */
export async function takeStaleDeliveries(db: Database, o: Stale): Promise<string[]> {
  return take(db, deliveries, o);
}
