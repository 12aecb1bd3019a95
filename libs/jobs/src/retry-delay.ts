import type { JobKind } from './job-kind.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** How one kind of job is retried; all times are milliseconds. */
type RetryPolicy =
  | {
      /** Full jitter: uniform between 0 and `min(capMs, baseMs * 2^(attempt - 1))`. */
      readonly shape: 'exponential';
      readonly baseMs: number;
      readonly capMs: number;
    }
  | {
      /** The delay before attempt n + 2 is `delaysMs[n]`, plus up to `jitter` of itself. */
      readonly shape: 'schedule';
      readonly delaysMs: readonly number[];
      readonly jitter: number;
    };

const policies: Readonly<Record<JobKind, RetryPolicy>> = {
  // When to give up, the row's own limits say: attempts and time, set by the operator.
  'sign-document': { shape: 'exponential', baseMs: 500, capMs: minute },
  'enrol-key': { shape: 'exponential', baseMs: second, capMs: 2 * minute },
  // The schedule that Standard Webhooks recommends, 75 h in all.
  'deliver-webhook': {
    shape: 'schedule',
    delaysMs: [
      5 * second,
      5 * minute,
      30 * minute,
      2 * hour,
      5 * hour,
      10 * hour,
      14 * hour,
      20 * hour,
      24 * hour,
    ],
    jitter: 0.1,
  },
};

/**
 * Milliseconds to wait after attempt number `attempt` (1 = the first one) has failed for a reason
 * that may pass, or `undefined` if the schedule ends there and the row has to fail. Kinds without a
 * schedule never end here.
 */
export function retryDelay(o: {
  readonly kind: JobKind;
  readonly attempt: number;
  /** A number in [0, 1); by default random. */
  readonly random?: () => number;
}): number | undefined {
  const random = (o.random ?? Math.random)();
  const policy = policies[o.kind];
  switch (policy.shape) {
    case 'exponential': {
      const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** (o.attempt - 1));
      return Math.round(random * ceiling);
    }
    case 'schedule': {
      const delay = policy.delaysMs[o.attempt - 1];
      return delay === undefined ? undefined : Math.round(delay * (1 + policy.jitter * random));
    }
  }
}
