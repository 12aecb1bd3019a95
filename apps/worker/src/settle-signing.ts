import { failSigning, releaseSigning, type Database } from '@signfleet/db';
import type { JobOutcome } from '@signfleet/jobs';
import { failureMessage } from './failure.ts';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';
import { queueReason, verdictOf, type QualifiedCode } from './outcome.ts';
import { nextStep, type RetryLimits } from './retry.ts';
import type { StageMillis } from './stage-clock.ts';

/** The claim that has come to nothing, and what is needed to record that. */
export interface UnfinishedSigning {
  readonly database: Database;
  readonly announce: (deliveryIds: readonly string[]) => Promise<void>;
  readonly limits: RetryLimits;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly claim: {
    readonly id: string;
    readonly fencingToken: number;
    readonly attempts: number;
    readonly startedAt: Date;
  };
  readonly stageMillis: StageMillis;
}

/**
 * Decides what an error means for the claimed row, writes it down, and tells the queue. If the
 * database can't be reached for that, the row keeps its lease and the reconciler takes over after it.
 *
 * @throws DbError when the row could not be written.
 */
export async function settleSigning(work: UnfinishedSigning, error: unknown): Promise<JobOutcome> {
  const verdict = verdictOf(error);
  const { claim, log, metrics } = work;
  const step = nextStep(verdict, {
    kind: 'sign-document',
    attempt: claim.attempts,
    startedAt: claim.startedAt,
    limits: work.limits,
  });
  const facts = { reason: verdict.reason, attempt: claim.attempts, err: error };
  switch (step.step) {
    case 'drop':
      metrics.signing('dropped', verdict.reason);
      log.warn(facts, 'signing dropped: another worker has it');
      return { outcome: 'done' };
    case 'retry':
      metrics.signing('released', verdict.reason);
      log.warn({ ...facts, retryInMs: step.inMs }, 'signing will be tried again');
      await giveBack(work, verdict.reason, step.inMs);
      return { outcome: 'retry', retryInMs: step.inMs, reason: queueReason(verdict.reason) };
    case 'fail': {
      metrics.signing('failed', step.code);
      log.warn({ ...facts, errorCode: step.code }, 'signing failed');
      const failed = await failSigning(work.database, {
        id: claim.id,
        fencingToken: claim.fencingToken,
        errorCode: step.code,
        errorMessage: failureMessage(step.code, error),
        stageMillis: work.stageMillis,
      });
      if (failed.outcome === 'failed') await work.announce(failed.deliveryIds);
      return { outcome: 'done' };
    }
  }
}

async function giveBack(
  work: UnfinishedSigning,
  reason: QualifiedCode,
  inMs: number,
): Promise<void> {
  await releaseSigning(work.database, {
    id: work.claim.id,
    fencingToken: work.claim.fencingToken,
    retryInMs: inMs,
    errorCode: queueReason(reason),
    errorMessage: 'The last attempt did not succeed for a passing reason; another one follows.',
  });
}
