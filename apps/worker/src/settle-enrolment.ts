import { failKeyEnrolment, releaseKeyEnrolment, type ClaimedKeyEnrolment } from '@signfleet/db';
import type { JobOutcome } from '@signfleet/jobs';
import type { EnrolmentContext } from './enrol-key.ts';
import { failureMessages } from './failure.ts';
import { queueReason, verdictOf } from './outcome.ts';
import { nextStep } from './retry.ts';

/** Decides what an error means for a claimed enrolment, and writes it down. @throws DbError. */
export async function settleEnrolment(
  context: EnrolmentContext,
  claimed: ClaimedKeyEnrolment,
  error: unknown,
): Promise<JobOutcome> {
  const { database, log, metrics } = context;
  const verdict = verdictOf(error);
  const step = nextStep(verdict, {
    kind: 'enrol-key',
    attempt: claimed.attempts,
    // The row does not say when work began; attempts alone bound it.
    startedAt: new Date(),
    limits: { giveUpSeconds: Infinity, maxAttempts: context.maxAttempts },
  });
  const facts = { reason: verdict.reason, attempt: claimed.attempts, err: error };
  const claim = { id: claimed.keyId, fencingToken: claimed.fencingToken };
  switch (step.step) {
    case 'drop':
      log.warn(facts, 'enrolment dropped');
      return { outcome: 'done' };
    case 'retry':
      metrics.enrolment('released', verdict.reason);
      log.warn({ ...facts, retryInMs: step.inMs }, 'enrolment will be tried again');
      await releaseKeyEnrolment(database, {
        ...claim,
        retryInMs: step.inMs,
        errorCode: queueReason(verdict.reason),
        errorMessage: 'The last attempt did not succeed for a passing reason; another one follows.',
      });
      return { outcome: 'retry', retryInMs: step.inMs, reason: queueReason(verdict.reason) };
    case 'fail': {
      metrics.enrolment('failed', step.code);
      log.warn({ ...facts, errorCode: step.code }, 'enrolment failed');
      const failed = await failKeyEnrolment(database, {
        ...claim,
        errorCode: step.code,
        errorMessage: failureMessages[step.code],
      });
      if (failed.outcome === 'failed') await context.announce(failed.deliveryIds);
      return { outcome: 'done' };
    }
  }
}
