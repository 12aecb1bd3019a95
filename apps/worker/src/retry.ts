import { retryDelay, type JobKind } from '@signfleet/jobs';
import type { FailureCode } from './failure.ts';
import type { Verdict } from './outcome.ts';

/** How long a row waits for what may pass. */
export interface RetryLimits {
  /** Seconds since work on the row began. */
  readonly giveUpSeconds: number;
  readonly maxAttempts: number;
}

/** Attempts for an error that nobody foresaw. */
const PUZZLE_ATTEMPTS = 5;

/** What to do with the row now. */
export type NextStep =
  | { readonly step: 'retry'; readonly inMs: number }
  | { readonly step: 'fail'; readonly code: FailureCode }
  | { readonly step: 'drop' };

/** Applies the limits to a verdict. `attempt` is 1 for the first; `startedAt` is when that one began. */
export function nextStep(
  verdict: Verdict,
  row: {
    readonly kind: JobKind;
    readonly attempt: number;
    readonly startedAt: Date;
    readonly limits: RetryLimits;
  },
): NextStep {
  switch (verdict.kind) {
    case 'drop':
      return { step: 'drop' };
    case 'fail':
      return { step: 'fail', code: verdict.code };
    case 'puzzle':
      return row.attempt >= Math.min(PUZZLE_ATTEMPTS, row.limits.maxAttempts)
        ? { step: 'fail', code: 'internal_error' }
        : { step: 'retry', inMs: delayMs(row) };
    case 'wait': {
      const age = Date.now() - row.startedAt.getTime();
      return row.attempt >= row.limits.maxAttempts || age > row.limits.giveUpSeconds * 1_000
        ? { step: 'fail', code: 'gave_up' }
        : { step: 'retry', inMs: delayMs(row) };
    }
  }
}

function delayMs(row: { readonly kind: JobKind; readonly attempt: number }): number {
  return retryDelay({ kind: row.kind, attempt: row.attempt }) ?? 0;
}
