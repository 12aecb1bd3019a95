import { ResourceStack } from '@signfleet/errors';
import { JobsError, type JobKind } from '@signfleet/jobs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLogger } from '../src/logging.ts';
import { createMetrics } from '../src/metrics.ts';
import { reconcile } from '../src/reconcile.ts';
import { startTestFleet, type TestFleet } from './support/fleet.ts';

const resources = new ResourceStack();
const log = createLogger({ level: 'fatal', workerId: 'test' });
const signal = new AbortController().signal;
let fleet: TestFleet;

beforeAll(async () => {
  fleet = resources.use('fleet', await startTestFleet({ queue: 'postgres' }), (it) => it.close());
});
afterAll(() => resources.close());

/** Keeps what is enqueued on its way to the real queue; kinds in `refused` are kept out. */
function recording(refused: readonly JobKind[] = []) {
  const enqueued: string[] = [];
  return {
    enqueued,
    queues: {
      ping: () => fleet.queues.ping(),
      enqueue: async (kind: JobKind, ids: readonly string[]): Promise<void> => {
        if (refused.includes(kind)) throw new JobsError('unavailable', 'away');
        await fleet.queues.enqueue(kind, ids);
        enqueued.push(...ids);
      },
    },
  };
}

async function forgottenKeys(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push(await fleet.orderKey('P-256'));
  await fleet.database.prisma.key.updateMany({
    where: { id: { in: ids } },
    data: { wakeAt: new Date(Date.now() - 1_000) },
  });
  return ids;
}

it('enqueues forgotten rows once, however many reconcilers run', async () => {
  const ids = await forgottenKeys(6);
  const rounds = [recording(), recording(), recording()];
  const shared = { database: fleet.database, log, metrics: createMetrics() };
  const counts = await Promise.all(
    rounds.map(({ queues }) => reconcile({ ...shared, queues }, signal)),
  );
  expect(rounds.flatMap(({ enqueued }) => enqueued).sort()).toEqual([...ids].sort());
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(6);
});

it('does its other duties although one of them fails, and says so', async () => {
  await forgottenKeys(1);
  const { prisma } = fleet.database;
  expect(await prisma.auditEntry.count({ where: { position: null } })).toBeGreaterThan(0);
  const { queues, enqueued } = recording(['enrol-key']);
  const context = { database: fleet.database, queues, log, metrics: createMetrics() };
  await expect(reconcile(context, signal)).rejects.toThrow('jobs:unavailable');
  expect(enqueued).toEqual([]);
  expect(await prisma.auditEntry.count({ where: { position: null } })).toBe(0);
});

it('leaves rows as they are while the queue is away', async () => {
  const [id = ''] = await forgottenKeys(1);
  const { queues, enqueued } = recording();
  const away = { ...queues, ping: () => Promise.reject(new JobsError('unavailable', 'away')) };
  const context = { database: fleet.database, log, metrics: createMetrics() };
  await expect(reconcile({ ...context, queues: away }, signal)).rejects.toThrow('unavailable');
  expect(enqueued).toEqual([]);
  await reconcile({ ...context, queues }, signal);
  expect(enqueued).toContain(id);
});
