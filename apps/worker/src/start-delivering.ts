import { openDeliverer, parseSealingKey, type SealingKey } from '@signfleet/webhooks';
import { readConfiguredFile, type WorkerConfig } from './config.ts';
import { deliverWebhook } from './deliver-webhook.ts';
import { runJobs } from './job-runner.ts';
import type { WorkerContext } from './worker.ts';

/** Deliveries at a time: each is one HTTP request, mostly spent waiting for the receiver. */
const CONCURRENCY = 32;

/** Starts the role `deliver`: a consumer of its own, so that a slow receiver never slows signing. */
export async function startDelivering(context: WorkerContext): Promise<void> {
  const { config, database, log, metrics, resources } = context;
  const sealingKey = readSealingKey(config);
  const deliverer = resources.use(
    'deliverer',
    openDeliverer({
      allowPrivateTargets: config.WEBHOOK_ALLOW_PRIVATE_TARGETS,
      timeoutMs: config.WEBHOOK_TIMEOUT_SECONDS * 1_000,
    }),
    (opened) => opened.close(),
  );
  const leaseSeconds = 2 * config.WEBHOOK_TIMEOUT_SECONDS + 10;
  const shared = { database, deliverer, sealingKey, leaseSeconds, log, metrics };
  await runJobs(context, {
    kind: 'deliver-webhook',
    concurrency: CONCURRENCY,
    work: (id) => deliverWebhook(shared, id),
  });
}

/** @throws WebhooksError `sealing_key_invalid`, WorkerError `config_invalid`. */
function readSealingKey(config: WorkerConfig): SealingKey {
  const path = config.WEBHOOK_SECRET_KEY_FILE ?? '';
  return parseSealingKey(readConfiguredFile('WEBHOOK_SECRET_KEY_FILE', path).toString('latin1'));
}
