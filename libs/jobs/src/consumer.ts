import { Worker, type IQueueBackend } from 'bullmq';
import { ResourceStack } from '@signfleet/errors';
import { consumerError, throttled } from './consumer-error.ts';
import { withDeadline } from './deadline.ts';
import { JobsError } from './error.ts';
import { InHand } from './in-hand.ts';
import type { JobKind, JobPayload } from './job-kind.ts';
import type { Job, JobOutcome } from './job-outcome.ts';
import { asJobsError, openBackend, queueName, redisKeyPrefix, request } from './open-backend.ts';
import { deadlines, type QueueBackend } from './queue-backend.ts';
import { retryBackoff, runJob } from './run-job.ts';

export interface ConsumeOptions {
  readonly url: string;
  /** Must equal the producer's. */
  readonly prefix?: string;
  readonly kind: JobKind;
  /** How many jobs this consumer runs at once. */
  readonly concurrency: number;
  /**
   * Runs one job. May be called again for the same id, after a crash even while another process
   * still runs it; the row's fencing token is what makes effects happen once.
   */
  readonly process: (job: Job) => Promise<JobOutcome>;
  /** Told of everything that is not a job's outcome: outages, lost locks, processors that throw. */
  readonly onError: (error: JobsError) => void;
  /**
   * How long a job survives its process, in milliseconds, default 5,000: after a crash it runs again
   * this much plus up to two stalled checks (2 s each) later. Longer than the longest pause of the
   * event loop, or a busy worker's jobs run twice.
   */
  readonly lockMs?: number;
}

export interface Consumer {
  /** Jobs in hand. */
  active(): number;
  /** Takes no new job, waits for those in hand, disconnects. Idempotent. */
  close(): Promise<void>;
  /** Aborts the signals of the jobs in hand, for a shutdown that runs out of time. */
  abort(reason: string): void;
}

const stalledIntervalMs = 2_000;

type KindWorker = Worker<JobPayload, void, string, IQueueBackend>;

function openWorker(
  o: ConsumeOptions,
  backend: QueueBackend,
  report: (error: JobsError) => void,
): KindWorker {
  const name = queueName(o.prefix, o.kind);
  const worker = new Worker<JobPayload, void, string, IQueueBackend>(
    name,
    (job, _token, signal) => runJob({ ...o, report }, job, signal ?? new AbortController().signal),
    {
      connection: {},
      prefix: redisKeyPrefix(name),
      autorun: false,
      concurrency: o.concurrency,
      lockDuration: o.lockMs ?? 5_000,
      stalledInterval: stalledIntervalMs,
      maxStalledCount: 2 ** 31 - 1,
      runRetryDelay: 500,
      settings: {
        backoffStrategy: (attemptsMade, _type, error) => retryBackoff(o.kind, attemptsMade, error),
      },
    },
    backend.createBackend,
  );
  worker.on('error', (error) => {
    const meaning = consumerError(backend, error);
    if (meaning !== undefined) report(meaning);
  });
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) {
      worker.cancelJob(id, 'lock_lost');
      report(new JobsError('lock_lost', 'a job may be running twice', { details: { id } }));
    }
  });
  return worker;
}

/**
 * Waits for the jobs in hand however long they take, but not for a queue server that is away: a job
 * whose end cannot be told is found stalled, runs again and finds its row done.
 */
async function drain(worker: KindWorker, inHand: InHand): Promise<void> {
  const closing = worker.close();
  await Promise.race([closing, inHand.ended()]);
  await withDeadline(closing, deadlines.request, () => new Error('no answer')).catch(
    () => undefined,
  );
}

/**
 * Takes jobs of one kind from QUEUE_URL until closed. Throws {@link JobsError} `url_invalid`, or
 * `unavailable` if there is no connection at the start; later outages are outlasted.
 */
export async function consume(o: ConsumeOptions): Promise<Consumer> {
  const resources = new ResourceStack();
  const report = throttled(o.onError);
  const inHand = new InHand();
  const process = (job: Job): Promise<JobOutcome> => inHand.run(() => o.process(job));
  const backend = await openBackend({
    url: o.url,
    role: 'consumer',
    // Claims and completions are short: a handful of connections serve any concurrency.
    connections: Math.min(o.concurrency, 5) + 2,
    onUnavailable: report,
  });
  resources.use('queue connection', backend, (opened) => opened.close());
  const worker = openWorker({ ...o, process }, backend, report);
  resources.use(`${o.kind} worker`, worker, (opened) => drain(opened, inHand));
  try {
    await request(backend, () => worker.waitUntilReady());
  } catch (error) {
    await resources.close();
    throw error;
  }
  worker.run().catch((error: unknown) => report(asJobsError(backend, error)));
  return {
    active: () => inHand.count,
    close: () => resources.close(),
    abort: (reason) => worker.cancelAllJobs(reason),
  };
}
