import { Queue, type BulkJobOptions, type IQueueBackend } from 'bullmq';
import { ResourceStack } from '@signfleet/errors';
import { JobsError } from './error.ts';
import { jobKinds, parseJobId, type JobKind, type JobPayload } from './job-kind.ts';
import { openBackend, queueName, redisKeyPrefix, request } from './open-backend.ts';
import type { QueueBackend } from './queue-backend.ts';

/** How many jobs of a kind wait, run, and sleep until a retry is due. */
export interface JobCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
}

/** The producer's side of all queues. */
export interface Queues {
  /**
   * Enqueues one job per row id; ids are processed in this order. An id whose job waits, runs or
   * sleeps already is left as it is, so enqueueing twice is harmless. An id whose job is just
   * finishing may lose this wake-up: the job is removed only after its processor returned, and
   * until then the id counts as running. The reconciler, which looks at rows and not at jobs,
   * enqueues such a row again; so it does for whatever an error kept from being enqueued.
   *
   * Throws {@link JobsError}: `id_invalid` (nothing enqueued), `unavailable` within seconds,
   * `rejected`, `closed`.
   */
  enqueue(
    kind: JobKind,
    ids: readonly string[],
    options?: { readonly delayMs?: number },
  ): Promise<void>;
  counts(kind: JobKind): Promise<JobCounts>;
  /** Resolves if the server answers. Throws {@link JobsError} `unavailable` within seconds. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Jobs sent in one request: a batch of 10,000 never holds the server for long. */
const jobsPerRequest = 1_000;

const jobOptions = {
  // The row in the database counts attempts and decides when to give up; the queue never does.
  attempts: 2 ** 31 - 1,
  backoff: { type: 'outcome' },
  // A finished job would make enqueueing the same row again a no-op.
  removeOnComplete: true,
  removeOnFail: true,
  stackTraceLimit: 0,
} satisfies BulkJobOptions;

/** Each failed request says so to its caller; what fails between requests concerns no caller. */
const noOneToTell = (): void => undefined;

type KindQueue = Queue<JobPayload, void, string, JobPayload, void, string, IQueueBackend>;

function openQueue(backend: QueueBackend, name: string): KindQueue {
  const queue: KindQueue = new Queue<
    JobPayload,
    void,
    string,
    JobPayload,
    void,
    string,
    IQueueBackend
  >(
    name,
    {
      connection: {},
      prefix: redisKeyPrefix(name),
      defaultJobOptions: jobOptions,
      streams: { events: { maxLen: 100 } },
    },
    backend.createBackend,
  );
  queue.on('error', noOneToTell);
  return queue;
}

async function enqueueAll(queue: KindQueue, ids: readonly string[], delay: number): Promise<void> {
  const [first, ...others] = ids;
  if (first === undefined) return;
  if (others.length === 0) {
    await queue.add('job', { id: first }, { jobId: first, delay });
    return;
  }
  await queue.addBulk(ids.map((id) => ({ name: 'job', data: { id }, opts: { jobId: id, delay } })));
}

/** Opens every kind's queue and waits until each can be used. */
async function openKindQueues(
  backend: QueueBackend,
  resources: ResourceStack,
  prefix: string | undefined,
): Promise<ReadonlyMap<JobKind, KindQueue>> {
  const queues = new Map<JobKind, KindQueue>();
  for (const kind of jobKinds) {
    const queue = openQueue(backend, queueName(prefix, kind));
    queues.set(
      kind,
      resources.use(`queue ${kind}`, queue, (opened) => opened.close()),
    );
  }
  await request(backend, () => Promise.all([...queues.values()].map((q) => q.waitUntilReady())));
  return queues;
}

/**
 * Connects the producer's side to QUEUE_URL (forms: see `parseQueueUrl`). `prefix` separates
 * installations that share a server, default `signfleet`. Throws {@link JobsError} `url_invalid`,
 * `unavailable`, `rejected`.
 */
export async function openQueues(o: {
  readonly url: string;
  readonly prefix?: string;
}): Promise<Queues> {
  const resources = new ResourceStack();
  const backend = resources.use(
    'queue connection',
    await openBackend({
      url: o.url,
      role: 'producer',
      connections: 4,
      onUnavailable: noOneToTell,
    }),
    (opened) => opened.close(),
  );
  let queues: ReadonlyMap<JobKind, KindQueue>;
  try {
    queues = await openKindQueues(backend, resources, o.prefix);
  } catch (error) {
    await resources.close();
    throw error;
  }
  return new OpenQueues(backend, resources, queues);
}

class OpenQueues implements Queues {
  readonly #backend: QueueBackend;
  readonly #resources: ResourceStack;
  readonly #queues: ReadonlyMap<JobKind, KindQueue>;
  #closed = false;

  constructor(
    backend: QueueBackend,
    resources: ResourceStack,
    queues: ReadonlyMap<JobKind, KindQueue>,
  ) {
    this.#backend = backend;
    this.#resources = resources;
    this.#queues = queues;
  }

  async enqueue(
    kind: JobKind,
    ids: readonly string[],
    options: { readonly delayMs?: number } = {},
  ): Promise<void> {
    const queue = this.#queueOf(kind);
    const parsed = ids.map(parseJobId);
    for (let start = 0; start < parsed.length; start += jobsPerRequest) {
      const chunk = parsed.slice(start, start + jobsPerRequest);
      await request(this.#backend, () => enqueueAll(queue, chunk, options.delayMs ?? 0));
    }
  }

  async counts(kind: JobKind): Promise<JobCounts> {
    const queue = this.#queueOf(kind);
    const {
      waiting = 0,
      active = 0,
      delayed = 0,
    } = await request(this.#backend, () => queue.getJobCounts('waiting', 'active', 'delayed'));
    return { waiting, active, delayed };
  }

  async ping(): Promise<void> {
    this.#assertOpen();
    await request(this.#backend, () => this.#backend.ping());
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#resources.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new JobsError('closed', 'the queues are closed');
  }

  #queueOf(kind: JobKind): KindQueue {
    this.#assertOpen();
    const queue = this.#queues.get(kind);
    if (queue === undefined) throw new TypeError(`no queue of kind ${kind}`);
    return queue;
  }
}
