import type { WorkerRole } from './config.ts';
import { startReconciling } from './reconcile.ts';
import { startDelivering } from './start-delivering.ts';
import { startEnrolling } from './start-enrolling.ts';
import { startSigning } from './start-signing.ts';
import type { WorkerContext } from './worker.ts';

/** Starts one role: resolves when it takes jobs. */
export function startRole(role: WorkerRole, context: WorkerContext): Promise<void> {
  switch (role) {
    case 'sign':
      return startSigning(context);
    case 'enrol':
      return startEnrolling(context);
    case 'deliver':
      return startDelivering(context);
    case 'reconcile':
      return startReconciling(context);
  }
}
