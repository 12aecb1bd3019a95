/**
 * `npm run test:resilience [-- --queue postgres] [--documents N] [--outage SECONDS]`: a real worker
 * process on real services. It is killed with SIGKILL in the middle of a batch, and PostgreSQL, the
 * queue and the object store are each taken away in the middle of another. Prints each check; ends
 * with 1 if one fails.
 */
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestFleet, type RestartableService } from '../../apps/worker/test/support/fleet.ts';
import { keyEnrolled } from '../../apps/worker/test/support/key-enrolled.ts';
import { startWebhookReceiver } from '../../apps/worker/test/support/webhook-receiver.ts';
import {
  startWorkerProcess,
  type WorkerProcess,
} from '../../apps/worker/test/support/worker-process.ts';
import { checkBatch } from './check-batch.ts';
import { completedOf, submitDocuments, type Stage } from './documents.ts';

const { values } = parseArgs({
  options: {
    queue: { type: 'string', default: 'redis' },
    documents: { type: 'string', default: '200' },
    outage: { type: 'string', default: '10' },
  },
});
const queue = values.queue === 'postgres' ? 'postgres' : 'redis';
const documents = Number(values.documents);
const outageMs = Number(values.outage) * 1_000;

let passed = 0;
let failed = 0;

function report(name: string, checks: readonly (readonly [string, boolean])[]): void {
  process.stdout.write(`\n${name}\n`);
  for (const [what, holds] of checks) {
    if (holds) passed += 1;
    else failed += 1;
    process.stdout.write(`  ${holds ? 'ok  ' : 'FAIL'} ${what}\n`);
  }
}

async function startUp(environment: Readonly<Record<string, string>>): Promise<WorkerProcess> {
  const worker = startWorkerProcess({
    ...environment,
    WORKER_CONCURRENCY: '4',
    RECONCILE_INTERVAL_SECONDS: '2',
    LOG_LEVEL: 'info',
  });
  await worker.logged('taking jobs');
  return worker;
}

/** Submits a batch, lets a quarter of it pass, disturbs, and checks how it ends. */
async function scenario(stage: Stage, name: string, disturb: () => Promise<string>): Promise<void> {
  const start = Date.now();
  const batch = await submitDocuments(stage, { name: name.replaceAll(/\W+/g, '-'), documents });
  while ((await completedOf(stage, batch)) < documents / 4) await sleep(5);
  const before = await completedOf(stage, batch);
  const disturbance = await disturb();
  const checks = await checkBatch(stage, batch, { documents, timeoutMs: 300_000 });
  const seconds = ((Date.now() - start) / 1_000).toFixed(1);
  report(`${name} (${before} of ${documents} were signed before; ${seconds} s in all)`, [
    [disturbance, before < documents],
    ...checks,
  ]);
}

/** Takes a service away while a batch runs; the worker must be the same process afterwards. */
function outage(worker: () => WorkerProcess, service: RestartableService): () => Promise<string> {
  return async () => {
    const { pid } = worker();
    await service.stop();
    await sleep(outageMs);
    await service.start();
    return `away for ${outageMs / 1_000} s in the middle, worker ${pid} not restarted`;
  };
}

async function main(): Promise<void> {
  const fleet = await startTestFleet({ queue });
  let worker = await startUp(fleet.environment);
  const close = async (): Promise<void> => {
    await worker.end('SIGKILL');
    await fleet.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void close().finally(() => process.exit(130)));
  }
  try {
    const keyIds = await Promise.all([fleet.orderKey('RSA-2048'), fleet.orderKey('P-256')]);
    for (const id of keyIds) await keyEnrolled(fleet, id);
    const receiver = await startWebhookReceiver(fleet, {
      eventTypes: ['signing.completed', 'signing.failed', 'batch.completed'],
    });
    const stage: Stage = { fleet, keyIds, receiver };
    await scenario(stage, 'kill -9 of the worker', async () => {
      await worker.end('SIGKILL');
      worker = await startUp(fleet.environment);
      return 'killed in the middle, started again';
    });
    const { postgres, redis, s3 } = fleet.services;
    await scenario(
      stage,
      'PostgreSQL stopped',
      outage(() => worker, postgres),
    );
    if (redis !== undefined)
      await scenario(
        stage,
        'Redis stopped',
        outage(() => worker, redis),
      );
    await scenario(
      stage,
      'S3 stopped',
      outage(() => worker, s3),
    );
    const code = await worker.end('SIGTERM');
    report('the end', [[`the worker stops with exit code 0 (${String(code)})`, code === 0]]);
    await receiver.close();
  } finally {
    await close();
  }
  process.stdout.write(`\nqueue on ${queue}: ${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
