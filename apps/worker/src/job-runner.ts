import { consume, retryDelay, type Consumer, type JobKind, type JobOutcome } from '@signfleet/jobs';
import { openPersistently } from './dependency.ts';
import { queueReason, verdictOf } from './outcome.ts';
import type { WorkerContext } from './worker.ts';

/**
 * Takes jobs of one kind until the worker stops. `work` looks at the row and settles it; what it
 * throws all the same (the database is gone, mostly) leaves the row as it is, and the job waits.
 */
export async function runJobs(
  context: WorkerContext,
  options: {
    readonly kind: JobKind;
    readonly concurrency: number;
    readonly work: (id: string) => Promise<JobOutcome>;
  },
): Promise<void> {
  const { config, log, metrics, resources, stopping, dependencies } = context;
  const { kind } = options;
  const open = (): Promise<Consumer> =>
    consume({
      url: config.QUEUE_URL,
      kind,
      concurrency: options.concurrency,
      process: async ({ id, attempt }) => {
        metrics.inFlight(kind, 1);
        try {
          return await options.work(id);
        } catch (error) {
          return postpone(context, { kind, id, attempt, error });
        } finally {
          metrics.inFlight(kind, -1);
        }
      },
      onError: (error) => log.warn({ kind, err: error }, 'queue trouble'),
      ...(config.QUEUE_PREFIX === undefined ? {} : { prefix: config.QUEUE_PREFIX }),
    });
  const consumer = await openPersistently({
    name: 'queue',
    open,
    signal: stopping,
    dependencies,
    log,
  });
  resources.use(`${kind} consumer`, consumer, async (opened) => {
    log.info({ kind, inHand: opened.active() }, 'taking no new jobs');
    await opened.close();
  });
}

function postpone(
  context: WorkerContext,
  job: {
    readonly kind: JobKind;
    readonly id: string;
    readonly attempt: number;
    readonly error: unknown;
  },
): JobOutcome {
  const { reason, kind } = verdictOf(job.error);
  const level = kind === 'wait' ? 'warn' : 'error';
  // The policy for deliveries is made for receivers and waits for hours. This is trouble of our own.
  const retryInMs = retryDelay({ kind: 'sign-document', attempt: job.attempt }) ?? 0;
  context.log[level]({ id: job.id, reason, retryInMs, err: job.error }, 'job postponed');
  return { outcome: 'retry', retryInMs, reason: queueReason(reason) };
}
