/** A job handed to a processor. */
export interface Job {
  /** Id of the database row that says what there is to do. */
  readonly id: string;
  /** How often this job was started, 1 for the first time. The row has the attempt counter that decides. */
  readonly attempt: number;
  /** When the job was enqueued. */
  readonly enqueuedAt: Date;
  /** Aborted once the job's lock is lost (somebody else may be running it) or a close runs out of time. */
  readonly signal: AbortSignal;
}

/**
 * What a processor decided.
 * - `done`: nothing more to do, which includes "the row was already done".
 * - `retry`: look at the row again after `retryInMs` milliseconds.
 * - `failed`: never look again; the row already says why.
 *
 * `reason` is a stable code (`hsm_session_lost`): it is stored in the queue, so it holds no data.
 */
export type JobOutcome =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'retry'; readonly retryInMs: number; readonly reason: string }
  | { readonly outcome: 'failed'; readonly reason: string };
