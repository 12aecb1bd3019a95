import { CodedError } from '@signfleet/errors';

/**
 * - `url_invalid`: QUEUE_URL cannot be used; `details.part` names the bad part, never its value.
 * - `id_invalid`: a row id that cannot be a job id; nothing was enqueued.
 * - `payload_invalid`: a job in the queue was not written by this library; it is dropped.
 * - `unavailable`: the queue server cannot be reached now. The row is safe in the database and the
 *   reconciler enqueues it later.
 * - `rejected`: the queue server answered with an error that waiting does not cure.
 * - `process_failed`: a processor threw instead of returning an outcome; the job runs again.
 * - `lock_lost`: a job's lock was not renewed in time, so another worker may run it too.
 * - `closed`: used after `close()`.
 */
export type JobsErrorCode =
  | 'url_invalid'
  | 'id_invalid'
  | 'payload_invalid'
  | 'unavailable'
  | 'rejected'
  | 'process_failed'
  | 'lock_lost'
  | 'closed';

/** The one error class of `@signfleet/jobs`. */
export class JobsError extends CodedError<JobsErrorCode> {}
