import type { JobKind, Queues } from '@signfleet/jobs';
import type { FastifyBaseLogger } from 'fastify';
import { withDeadline } from './deadline.ts';

/** An answer waits for the queue at most this long, in milliseconds. */
const patience = 3_000;

/** Enqueues the jobs of rows that were just written; see {@link wakeUp}. */
export type WakeUp = (
  kind: JobKind,
  ids: readonly string[],
  log: FastifyBaseLogger,
) => Promise<void>;

/**
 * A queue that fails does not fail the request: the rows are the truth, and the reconciler enqueues
 * those whose job is missing. The failure is logged.
 */
export function wakeUp(queues: Pick<Queues, 'enqueue'>): WakeUp {
  return async (kind, ids, log) => {
    if (ids.length === 0) return;
    try {
      await withDeadline(patience, 'enqueueing', () => queues.enqueue(kind, ids));
    } catch (err) {
      log.warn({ err, kind, count: ids.length, firstId: ids[0] }, 'jobs left to the reconciler');
    }
  };
}
