import type { ClaimRefusal } from '@signfleet/db';
import type { JobOutcome } from '@signfleet/jobs';

/** How long to leave a row to its holder before looking again whether that one is still alive. */
const HELD_RETRY_MS = 5_000;

/** What becomes of a job whose row could not be claimed: a held row is looked at again. */
export function afterRefusal({ refused }: ClaimRefusal): JobOutcome {
  switch (refused) {
    case 'not_found':
    case 'not_queued':
      return { outcome: 'done' };
    case 'held':
      return { outcome: 'retry', retryInMs: HELD_RETRY_MS, reason: 'held' };
  }
}
