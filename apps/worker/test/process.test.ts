import { createHash } from 'node:crypto';
import { ResourceStack } from '@signfleet/errors';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { eventually } from './support/eventually.ts';
import { startTestFleet, type TestFleet } from './support/fleet.ts';
import { keyEnrolled } from './support/key-enrolled.ts';
import { samplePdf } from './support/sample-pdf.ts';
import { startWebhookReceiver } from './support/webhook-receiver.ts';
import { startWorkerProcess, type WorkerProcess } from './support/worker-process.ts';

// Each test starts processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const resources = new ResourceStack();
const running: WorkerProcess[] = [];
let fleet: TestFleet;
let keyId: string;

async function start(changes: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> {
  const worker = startWorkerProcess({
    ...fleet.environment,
    LOG_LEVEL: 'info',
    WORKER_CONCURRENCY: '2',
    SIGNING_LEASE_SECONDS: '5',
    RECONCILE_INTERVAL_SECONDS: '1',
    ...changes,
  });
  running.push(worker);
  await worker.logged('taking jobs');
  return worker;
}

beforeAll(async () => {
  fleet = resources.use('fleet', await startTestFleet({ queue: 'redis' }), (it) => it.close());
  const worker = await start({ WORKER_ROLES: 'enrol' });
  keyId = await fleet.orderKey('RSA-2048');
  await keyEnrolled(fleet, keyId);
  expect(await worker.end('SIGTERM')).toBe(0);
});

afterEach(async () => {
  for (const worker of running.splice(0)) await worker.end('SIGKILL');
});
afterAll(() => resources.close());

async function submitBatch(name: string, size: number) {
  const items = Array.from({ length: size }, (_, index) => `${name}-${index}.pdf`);
  for (const source of items) await fleet.putSource(source, samplePdf(source, 50_000));
  return fleet.submitBatch(items.map((source) => ({ keyId, source })));
}

function count(batchId: string, state: 'completed' | 'signing' | 'queued'): Promise<number> {
  return fleet.database.prisma.signing.count({ where: { batchId, state } });
}

function someCompleted(batchId: string): Promise<number> {
  return eventually('some documents are signed', async () => {
    const completed = await count(batchId, 'completed');
    return completed >= 3 ? completed : undefined;
  });
}

it('completes a batch exactly once although its worker is killed in the middle', async () => {
  const first = await start();
  const { batchId, ids } = await submitBatch('killed', 40);
  await someCompleted(batchId);
  expect(await first.end('SIGKILL')).toBeNull();
  expect(await count(batchId, 'completed')).toBeLessThan(40);

  await start();
  await eventually('the batch is complete', async () =>
    (await count(batchId, 'completed')) === 40 ? true : undefined,
  );
  const { prisma } = fleet.database;
  const batch = await prisma.batch.findUniqueOrThrow({ where: { id: batchId } });
  expect(batch).toMatchObject({ total: 40, remaining: 0, completed: 40, failed: 0 });
  expect(await prisma.event.count({ where: { subject: batchId } })).toBe(1);
  const events = await prisma.event.findMany({ where: { subject: { in: ids } } });
  expect(events.map(({ subject }) => subject).sort()).toEqual([...ids].sort());
  for (const row of await prisma.signing.findMany({ where: { batchId } })) {
    const signed = await fleet.result(row);
    expect(createHash('sha256').update(signed).digest('hex')).toBe(row.resultSha256);
  }
});

it('finishes what it has in hand on SIGTERM, takes nothing more, and leaves with 0', async () => {
  const worker = await start({ WORKER_ROLES: 'sign' });
  const { batchId } = await submitBatch('drained', 40);
  await someCompleted(batchId);
  expect(await worker.end('SIGTERM')).toBe(0);
  expect(worker.log.map(({ msg }) => msg)).toContain('stopped');
  expect(await count(batchId, 'signing')).toBe(0);
  const left = await count(batchId, 'queued');
  expect(left).toBeGreaterThan(0);
  expect(left + (await count(batchId, 'completed'))).toBe(40);
});

it('leaves with an error once the deadline for its jobs in hand has passed', async () => {
  const receiver = await startWebhookReceiver(fleet, {
    eventTypes: ['signing.completed'],
    answer: () => 'never',
  });
  const worker = await start({ SHUTDOWN_DEADLINE_SECONDS: '1' });
  await fleet.putSource('deadline.pdf', samplePdf('deadline'));
  await fleet.finished(await fleet.submit({ keyId, source: 'deadline.pdf' }));
  await eventually('a request waits', () => (receiver.received.length > 0 ? true : undefined));
  expect(await worker.end('SIGTERM')).toBe(75);
  expect(worker.log.map(({ msg }) => msg)).toContain(
    'shutdown deadline passed: leaving jobs in hand to the reconciler',
  );
  await receiver.close();
});

it('names every bad variable and leaves with 78', async () => {
  const worker = startWorkerProcess({ WORKER_ROLES: 'sign', HEALTH_PORT: 'x' });
  running.push(worker);
  await expect(worker.logged('taking jobs')).rejects.toThrow(
    /DATABASE_URL.*QUEUE_URL.*HEALTH_PORT/,
  );
  expect(await worker.end('SIGTERM')).toBe(78);
});

it('writes no secret to its log', async () => {
  const worker = await start({ LOG_LEVEL: 'trace' });
  await fleet.putSource('logged.pdf', samplePdf('logged'));
  const id = await fleet.submit({ keyId, source: 'logged.pdf' });
  await fleet.finished(id);
  await worker.end('SIGTERM');
  const { wrappedKey } = await fleet.database.prisma.key.findUniqueOrThrow({
    where: { id: keyId },
    select: { wrappedKey: true },
  });
  const text = JSON.stringify(worker.log);
  const environment = fleet.environment;
  const password = new URL(environment['DATABASE_URL']!).password;
  for (const secret of [
    password,
    environment['S3_SECRET_ACCESS_KEY']!,
    Buffer.from(wrappedKey!).toString('base64'),
    Buffer.from(wrappedKey!).toString('hex'),
  ]) {
    expect(text).not.toContain(secret);
  }
  expect(worker.log.filter(({ signingId }) => signingId === id).length).toBeGreaterThan(0);
});
