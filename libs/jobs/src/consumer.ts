import { UnrecoverableError, Worker, type IQueueBackend, type Job as QueueJob } from 'bullmq';
import { ResourceStack } from '@signfleet/errors';
import { withDeadline } from './deadline.ts';
import { JobsError } from './error.ts';
import { parseJobPayload, type JobKind, type JobPayload } from './job-kind.ts';
import type { Job, JobOutcome } from './job-outcome.ts';
import { asJobsError, openBackend, queueName, redisKeyPrefix, request } from './open-backend.ts';
import { deadlines, type QueueBackend } from './queue-backend.ts';
import { retryDelay } from './retry-delay.ts';

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
/** While the server is away, one report per code and interval is enough. */
const reportIntervalMs = 5_000;

type KindWorker = Worker<JobPayload, void, string, IQueueBackend>;

/** Makes BullMQ put the job to sleep: its custom backoff strategy reads the delay from here. */
class RetryLater extends Error {
  readonly retryInMs: number;

  constructor(retryInMs: number, reason: string) {
    super(reason);
    this.name = 'RetryLater';
    this.retryInMs = retryInMs;
  }
}

function throttled(onError: (error: JobsError) => void): (error: JobsError) => void {
  const lastReport = new Map<string, number>();
  return (error) => {
    if (error.code === 'unavailable') {
      const now = Date.now();
      if (now - (lastReport.get(error.code) ?? 0) < reportIntervalMs) return;
      lastReport.set(error.code, now);
    }
    onError(error);
  };
}

function unexpectedRetryDelay(kind: JobKind, attempt: number): number {
  return retryDelay({ kind, attempt }) ?? 60_000;
}

/** One job through the processor; what it throws is how BullMQ learns of a retry or a failure. */
async function runJob(
  o: Pick<ConsumeOptions, 'kind' | 'process'> & { readonly report: (error: JobsError) => void },
  queued: QueueJob<JobPayload>,
  signal: AbortSignal,
): Promise<void> {
  const attempt = queued.attemptsStarted;
  let result: JobOutcome;
  try {
    const id = parseJobPayload(queued.data, queued.id);
    result = await o.process({ id, attempt, enqueuedAt: new Date(queued.timestamp), signal });
  } catch (cause) {
    if (cause instanceof JobsError && cause.code === 'payload_invalid') {
      o.report(cause);
      throw new UnrecoverableError(cause.code);
    }
    o.report(
      new JobsError('process_failed', `the processor of ${o.kind} threw`, {
        cause,
        details: { id: queued.id ?? '', attempt },
      }),
    );
    // The cause's message is unknown, and what is thrown here is stored in the queue.
    throw new RetryLater(unexpectedRetryDelay(o.kind, attempt), 'process_failed');
  }
  switch (result.outcome) {
    case 'done':
      return;
    case 'retry':
      throw new RetryLater(Math.max(0, Math.round(result.retryInMs)), result.reason);
    case 'failed':
      throw new UnrecoverableError(result.reason);
  }
}

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
        backoffStrategy: (attemptsMade, _type, error) =>
          error instanceof RetryLater
            ? error.retryInMs
            : unexpectedRetryDelay(o.kind, attemptsMade),
      },
    },
    backend.createBackend,
  );
  worker.on('error', (error) => report(asJobsError(backend, error)));
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) {
      worker.cancelJob(id, 'lock_lost');
      report(new JobsError('lock_lost', 'a job may be running twice', { details: { id } }));
    }
  });
  return worker;
}

/** Counts the jobs in hand and says when the last one has ended. */
class InHand {
  #count = 0;
  #idle: (() => void)[] = [];

  get count(): number {
    return this.#count;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#count += 1;
    try {
      return await work();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  async ended(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
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
