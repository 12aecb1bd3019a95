import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  cancelBatch,
  claimSigning,
  completeSigning,
  createBatch,
  DbError,
  failSigning,
  openDatabase,
  releaseSigning,
  sealAuditChain,
  takeStaleSignings,
  type Database,
} from '../src/index.ts';
import { actor, addEndpoint, addTenant, result, signingRequest, type Tenant } from './records.ts';
import { startTestDatabase, type TestDatabase } from './test-database.ts';

const ITEMS = 120;

let server: TestDatabase;
let tenant: Tenant;
/** What the tests act on; its connections are cut again and again. */
let db: Database;

beforeAll(async () => {
  server = await startTestDatabase();
  tenant = await addTenant(server.db);
  await addEndpoint(server.db, tenant.tenantId);
  db = openDatabase({ url: server.url, poolSize: 10 });
});
afterAll(async () => {
  await db.close();
  await server.close();
});

/** Undefined if the server was gone, before or after it did what was asked. */
async function perhaps<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DbError && error.code === 'unavailable') return undefined;
    throw error;
  }
}

/** Works on one row until it is final, as a worker would that never learns how its calls ended. */
async function work(id: string, n: number): Promise<void> {
  for (let attempt = n; ; attempt += 1) {
    const claim = await perhaps(claimSigning(db, { id, workerId: `w${n}`, leaseSeconds: 0.2 }));
    if (claim === undefined || ('refused' in claim && claim.refused === 'held')) {
      await sleep(20);
      continue;
    }
    if ('refused' in claim) return;
    const held = { id, fencingToken: claim.fencingToken };
    const fault = { ...held, errorCode: 'damaged', errorMessage: 'broken' };
    if (attempt % 4 === 0) await perhaps(releaseSigning(db, { ...fault, retryInMs: 0 }));
    else if (attempt % 4 === 1) await perhaps(failSigning(db, fault));
    else await perhaps(completeSigning(db, { ...held, result }));
  }
}

/** Cuts one connection in use, time after time. */
async function cutConnections(): Promise<number> {
  let cut = 0;
  for (let round = 0; round < 15; round += 1) {
    await sleep(60);
    cut += await server.db.prisma.$executeRaw`SELECT pg_terminate_backend(pid)
      FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active'
        AND application_name = 'signfleet' ORDER BY random() LIMIT 1`;
  }
  return cut;
}

/** Cancels what is queued of a batch once some of it has ended. */
async function cancelMidway(o: { tenantId: string; id: string; actor: string }): Promise<void> {
  const where = { id: o.id, remaining: { lt: ITEMS - 10 } };
  while ((await perhaps(server.db.prisma.batch.count({ where }))) !== 1) await sleep(5);
  await perhaps(cancelBatch(server.db, o));
}

it('a batch counts exactly and ends once, though workers race and connections break', async () => {
  const items = Array.from({ length: ITEMS }, (_, index) => ({
    index,
    request: signingRequest(tenant.keyId),
  }));
  const { resource } = await createBatch(server.db, { ...tenant, items });
  const { id } = resource.batch;
  const cutting = cutConnections();
  const cancellation = { tenantId: tenant.tenantId, id, actor };
  await Promise.all([
    ...resource.items.flatMap((item, n) => [work(item.id, n), work(item.id, n + 1)]),
    cancelMidway(cancellation),
    cancelMidway(cancellation),
    sleep(100).then(() => perhaps(takeStaleSignings(db, { limit: 50, againAfterSeconds: 1 }))),
    sleep(120).then(() => perhaps(sealAuditChain(db))),
  ]);
  expect(await cutting).toBeGreaterThan(0);

  const { prisma } = server.db;
  const batch = await prisma.batch.findUniqueOrThrow({ where: { id } });
  const rows = await prisma.signing.findMany({ where: { batchId: id } });
  const count = (state: string) => rows.filter((row) => row.state === state).length;
  expect(batch).toMatchObject({
    remaining: 0,
    completed: count('completed'),
    failed: count('failed'),
    canceled: count('canceled'),
  });
  const ends = rows.map((row) => ({ subject: row.id, type: `signing.${row.state}` }));
  const events = await prisma.event.findMany({ where: { type: { not: 'key.enrolled' } } });
  const sorted = (list: { subject: string; type: string }[]) =>
    list.map(({ subject, type }) => `${subject} ${type}`).sort();
  expect(sorted(events)).toEqual(sorted([...ends, { subject: id, type: 'batch.completed' }]));
  expect(await prisma.webhookDelivery.count()).toBe(ITEMS + 1);
});
