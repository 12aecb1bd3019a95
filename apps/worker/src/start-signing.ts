import { announcer } from './announce.ts';
import { openPersistently } from './dependency.ts';
import { runJobs } from './job-runner.ts';
import { openConfiguredSigningToken, waitForOtherPin } from './open-tokens.ts';
import { announceSecurityLevel } from './security-level.ts';
import { signDocument } from './sign-document.ts';
import type { WorkerContext } from './worker.ts';

/** Starts the role `sign`: resolves when it takes jobs, waits for the HSM for as long as it takes. */
export async function startSigning(context: WorkerContext): Promise<void> {
  const { config, database, dependencies, log, metrics, resources, stopping, store } = context;
  const name = 'hsm';
  dependencies.expect(name);
  const token = await openPersistently({
    name,
    open: () => openConfiguredSigningToken(config),
    signal: stopping,
    dependencies,
    log,
    beforeRetry: (error) => waitForOtherPin(error, config.HSM_SIGNING_PIN_FILE ?? '', stopping),
  });
  resources.use('signing token', token, (opened) => opened.close());
  dependencies.opened(name, () => token.health());
  announceSecurityLevel(token.facts, context);
  const shared = {
    database,
    store,
    token,
    announce: announcer(context),
    workerId: config.workerId,
    leaseSeconds: config.SIGNING_LEASE_SECONDS,
    maxDocumentBytes: config.MAX_DOCUMENT_BYTES,
    limits: {
      giveUpSeconds: config.SIGNING_GIVE_UP_SECONDS,
      maxAttempts: config.SIGNING_MAX_ATTEMPTS,
      timeoutSeconds: config.SIGNING_TIMEOUT_SECONDS,
    },
    log,
    metrics,
  };
  await runJobs(context, {
    kind: 'sign-document',
    concurrency: config.WORKER_CONCURRENCY,
    work: (id) => signDocument(shared, id),
  });
}
