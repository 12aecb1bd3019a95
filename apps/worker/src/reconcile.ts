import {
  sealAuditChain,
  takeStaleDeliveries,
  takeStaleKeys,
  takeStaleSignings,
  type Database,
} from '@signfleet/db';
import type { JobKind, Queues } from '@signfleet/jobs';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';
import { qualify } from './outcome.ts';
import { runPeriodically } from './periodic.ts';
import type { WorkerContext } from './worker.ts';

/** Rows taken in one statement and enqueued in one request. */
const ROWS_PER_ROUND = 1_000;

/** What the reconciler needs. */
export interface ReconcileContext {
  readonly database: Database;
  readonly queues: Pick<Queues, 'enqueue' | 'ping'>;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const duties: readonly {
  readonly kind: JobKind;
  readonly take: (database: Database, o: { readonly limit: number }) => Promise<string[]>;
}[] = [
  { kind: 'sign-document', take: takeStaleSignings },
  { kind: 'enrol-key', take: takeStaleKeys },
  { kind: 'deliver-webhook', take: takeStaleDeliveries },
];

/**
 * Makes good what a lost queue, a killed worker or a failed wake-up has left behind, and puts new
 * audit entries into their chain. Workers may do so at the same time: each gets other rows. Returns
 * how many rows were enqueued.
 *
 * @throws AggregateError of what single duties threw; one that fails does not keep back the others.
 */
export async function reconcile(context: ReconcileContext, signal: AbortSignal): Promise<number> {
  const results = await Promise.allSettled([
    ...duties.map((duty) => wakeUp(context, duty, signal)),
    sealAuditChain(context.database).then(() => 0),
  ]);
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  if (failures.length > 0) {
    const codes = [...new Set(failures.map(qualify))].join(', ');
    throw new AggregateError(failures, `reconciliation was incomplete: ${codes}`);
  }
  return results.reduce(
    (sum, result) => sum + (result.status === 'fulfilled' ? result.value : 0),
    0,
  );
}

async function wakeUp(
  { database, queues, log, metrics }: ReconcileContext,
  { kind, take }: (typeof duties)[number],
  signal: AbortSignal,
): Promise<number> {
  let woken = 0;
  // What is taken is put off for minutes: nothing may be taken that the queue cannot take over.
  await queues.ping();
  while (!signal.aborted) {
    const ids = await take(database, { limit: ROWS_PER_ROUND });
    if (ids.length === 0) break;
    await queues.enqueue(kind, ids);
    woken += ids.length;
    metrics.reconciled(kind, ids.length);
    log.info({ kind, rows: ids.length }, 'enqueued rows that showed no sign of life');
    if (ids.length < ROWS_PER_ROUND) break;
  }
  return woken;
}

/** Starts the role: reconciles every few seconds, and counts the queues, until the worker stops. */
export function startReconciling(context: WorkerContext): Promise<void> {
  const { config, database, log, metrics, queues, resources } = context;
  const loop = runPeriodically({
    intervalMs: config.RECONCILE_INTERVAL_SECONDS * 1_000,
    work: async (signal) => {
      await reconcile({ database, queues, log, metrics }, signal);
      for (const { kind } of duties) metrics.queued(kind, { ...(await queues.counts(kind)) });
    },
    onError: (error) => log.warn({ err: error }, 'reconciliation failed; it goes on later'),
  });
  resources.use('reconciler', loop, (running) => running.close());
  return Promise.resolve();
}
