import { ErrorCode } from 'bullmq';
import { JobsError } from './error.ts';
import { asJobsError } from './open-backend.ts';
import type { QueueBackend } from './queue-backend.ts';

/** While the server is away, one report per interval is enough; milliseconds. */
const reportIntervalMs = 5_000;

/** Passes errors on, of a lasting outage only one now and then. */
export function throttled(onError: (error: JobsError) => void): (error: JobsError) => void {
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

/** By these BullMQ says that the job is no longer this consumer's. */
const notOurs: ReadonlySet<unknown> = new Set([
  ErrorCode.JobNotExist,
  ErrorCode.JobLockNotExist,
  ErrorCode.JobLockMismatch,
  ErrorCode.JobNotInState,
]);

/** What an error event of a BullMQ worker means, `undefined` if another event says it better. */
export function consumerError(backend: QueueBackend, error: Error): JobsError | undefined {
  if (error.message.startsWith('could not renew lock')) return undefined;
  if ('code' in error && notOurs.has(error.code)) {
    return new JobsError('lock_lost', 'a job may have run twice', { cause: error });
  }
  return asJobsError(backend, error);
}
