import { WorkerError } from './error.ts';
import type { Logger } from './logging.ts';

/** The right to work on one row, for as long as it is extended in time. */
export interface Lease {
  /** @throws WorkerError `fenced` if another worker has, or by the clock may have, taken the row. */
  assertHeld(): void;
  /** Stops extending and counts as lost. The row is the business of who completes or releases it. */
  end(): void;
}

/**
 * Extends a lease every third of its length. A lease that could not be extended in time (the
 * database is gone) counts as lost: this worker can't know whether another one has taken over.
 */
export function holdLease(options: {
  readonly leaseSeconds: number;
  /** `performance.now()` before the claim was asked for: the lease may have begun as early as that. */
  readonly since: number;
  readonly extend: () => Promise<'extended' | 'fenced'>;
  readonly log: Logger;
}): Lease {
  const leaseMs = options.leaseSeconds * 1_000;
  let expiresAt = options.since + leaseMs;
  let fenced = false;

  const extend = async (): Promise<void> => {
    const asked = performance.now();
    try {
      if ((await options.extend()) === 'fenced') fenced = true;
      else expiresAt = asked + leaseMs;
    } catch (error) {
      options.log.warn({ err: error }, 'lease not extended');
    }
  };
  const timer = setInterval(() => void extend(), leaseMs / 3);
  return {
    assertHeld: () => {
      if (fenced || performance.now() > expiresAt) {
        throw new WorkerError('fenced', 'the lease was lost to another worker');
      }
    },
    end: () => {
      clearInterval(timer);
      fenced = true;
    },
  };
}
