import { UnrecoverableError, type Job as QueueJob } from 'bullmq';
import { JobsError } from './error.ts';
import { parseJobPayload, type JobKind, type JobPayload } from './job-kind.ts';
import type { Job, JobOutcome } from './job-outcome.ts';
import { retryDelay } from './retry-delay.ts';

/** Makes BullMQ put the job to sleep: its custom backoff strategy reads the delay from here. */
class RetryLater extends Error {
  readonly retryInMs: number;

  constructor(retryInMs: number, reason: string) {
    super(reason);
    this.name = 'RetryLater';
    this.retryInMs = retryInMs;
  }
}

function unexpectedRetryDelay(kind: JobKind, attempt: number): number {
  return retryDelay({ kind, attempt }) ?? 60_000;
}

/** BullMQ's custom backoff strategy: the processor has already said how long to wait. */
export function retryBackoff(
  kind: JobKind,
  attemptsMade: number,
  error: Error | undefined,
): number {
  return error instanceof RetryLater ? error.retryInMs : unexpectedRetryDelay(kind, attemptsMade);
}

/** What it takes to run jobs of one kind. */
export interface JobRunner {
  readonly kind: JobKind;
  readonly process: (job: Job) => Promise<JobOutcome>;
  readonly report: (error: JobsError) => void;
}

/** One job through the processor; what it throws is how BullMQ learns of a retry or a failure. */
export async function runJob(
  o: JobRunner,
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
