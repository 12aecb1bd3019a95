import { ResourceStack } from '@signfleet/errors';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readConfig } from '../src/config.ts';
import { createLogger } from '../src/logging.ts';
import { startWorker, type RunningWorker } from '../src/worker.ts';
import { eventually } from './support/eventually.ts';
import { startTestFleet, type RestartableService, type TestFleet } from './support/fleet.ts';
import { keyEnrolled } from './support/key-enrolled.ts';
import { samplePdf } from './support/sample-pdf.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const resources = new ResourceStack();
let fleet: TestFleet;
let worker: RunningWorker;
let keyId: string;

interface Readiness {
  readonly status: string;
  readonly dependencies: Readonly<
    Record<string, { readonly up: boolean; readonly reason?: string }>
  >;
}

async function readiness(): Promise<Readiness> {
  const response = await fetch(`http://127.0.0.1:${worker.healthPort}/readyz`);
  return (await response.json()) as Readiness;
}

function isReady(): Promise<true> {
  return eventually('the worker is ready', async () =>
    (await readiness()).status === 'ready' ? true : undefined,
  );
}

function isDown(name: string): Promise<true> {
  return eventually(`${name} is named as down`, async () =>
    (await readiness()).dependencies[name]?.up === false ? true : undefined,
  );
}

const services = ['postgres', 'redis', 's3'] as const;

function service(name: (typeof services)[number]): RestartableService {
  const found = fleet.services[name];
  if (found === undefined) throw new Error(`${name} is not part of the fleet`);
  return found;
}

beforeAll(async () => {
  fleet = resources.use('fleet', await startTestFleet({ queue: 'redis' }), (it) => it.close());
  // Everything is away when the worker starts.
  for (const name of services) await service(name).stop();
  const config = readConfig({
    ...fleet.environment,
    SIGNING_LEASE_SECONDS: '5',
    RECONCILE_INTERVAL_SECONDS: '1',
  });
  const log = createLogger({ level: 'fatal', workerId: 'test' });
  worker = resources.use('worker', await startWorker(config, log), (it) => it.close());
});

afterAll(() => resources.close());

it('starts without its dependencies, names them, and takes jobs once they are there', async () => {
  for (const name of ['database', 'queue', 'storage']) await isDown(name);
  expect((await fetch(`http://127.0.0.1:${worker.healthPort}/healthz`)).status).toBe(200);
  for (const name of services) await service(name).start();
  await worker.started;
  await isReady();
  keyId = await fleet.orderKey('P-256');
  expect((await keyEnrolled(fleet, keyId)).state).toBe('active');
});

it.each([
  ['postgres', 'database'],
  ['redis', 'queue'],
  ['s3', 'storage'],
] as const)(
  'loses nothing when %s goes away in the middle, and needs no restart',
  async (name, dependency) => {
    const sources = Array.from({ length: 20 }, (_, index) => `${name}-${index}.pdf`);
    for (const source of sources) await fleet.putSource(source, samplePdf(source, 20_000));
    const { batchId, ids } = await fleet.submitBatch(sources.map((source) => ({ keyId, source })));
    await service(name).stop();
    await isDown(dependency);
    await service(name).start();
    await isReady();
    const { prisma } = fleet.database;
    const batch = await eventually(
      'the batch is complete',
      async () => {
        const row = await prisma.batch.findUniqueOrThrow({ where: { id: batchId } });
        return row.remaining === 0 ? row : undefined;
      },
      180_000,
    );
    expect(batch).toMatchObject({ completed: 20, failed: 0 });
    expect(await prisma.event.count({ where: { subject: { in: ids } } })).toBe(20);
  },
);
