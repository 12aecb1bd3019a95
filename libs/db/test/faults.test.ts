import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { claimSigning, createUser, newId, openDatabase, type Database } from '../src/index.ts';
import { actor, addTenant } from './records.ts';
import { startTestDatabase, type TestDatabase } from './test-database.ts';

let server: TestDatabase;
let db: Database;

beforeAll(async () => {
  server = await startTestDatabase();
  db = server.db;
});
afterAll(() => server.close());

it('calls a server that does not answer unavailable, by either way of asking', async () => {
  const lost = openDatabase({ url: 'postgres://x:x@127.0.0.1:1/x' });
  const unavailable = { code: 'unavailable', retryable: true };
  try {
    await expect(lost.ping()).rejects.toMatchObject(unavailable);
    await expect(lost.prisma.user.findFirst()).rejects.toMatchObject(unavailable);
    await expect(
      createUser(lost, { tenantId: 't', actor, user: { name: 'x' } }),
    ).rejects.toMatchObject(unavailable);
    const claim = claimSigning(lost, { id: 'x', workerId: 'w', leaseSeconds: 1 });
    await expect(claim).rejects.toMatchObject(unavailable);
  } finally {
    await lost.close();
  }
});

it('recovers from connections that are cut while in use', async () => {
  const cut = db.query(
    {
      name: 'test_cut',
      text: 'SELECT pg_terminate_backend(pg_backend_pid())::text AS done',
      row: z.object({ done: z.string() }),
    },
    [],
  );
  await expect(cut).rejects.toMatchObject({ code: 'unavailable' });
  const cutInside = db.prismaTransaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_terminate_backend(pg_backend_pid())`;
  });
  await expect(cutInside).rejects.toMatchObject({ code: 'unavailable' });
  const cutIdle = db.transaction(async (tx) => {
    await tx.query({ name: 'test_pid', text: 'SELECT 1', row: z.object({}) }, []);
    await db.prisma.$executeRaw`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE pid <> pg_backend_pid() AND application_name = 'signfleet'`;
    await tx.query({ name: 'test_pid', text: 'SELECT 1', row: z.object({}) }, []);
  });
  await expect(cutIdle).rejects.toMatchObject({ code: 'unavailable' });
  await db.ping();
});

it('does not wait for a server that has stopped answering', async () => {
  const hasty = openDatabase({ url: server.url, queryTimeoutMillis: 300 });
  const unavailable = { code: 'unavailable' };
  const sleep = {
    name: 'test_sleep',
    text: 'SELECT pg_sleep(20)::text AS done',
    row: z.object({ done: z.string() }),
  };
  try {
    await expect(hasty.query(sleep, [])).rejects.toMatchObject(unavailable);
    await expect(hasty.transaction((tx) => tx.query(sleep, []))).rejects.toMatchObject(unavailable);
    await expect(hasty.prisma.$executeRaw`SELECT pg_sleep(20)`).rejects.toMatchObject(unavailable);
    await hasty.ping();
  } finally {
    await hasty.close();
  }
});

it('calls a server that only reads, as after a failover, unavailable', async () => {
  const write = db.prismaTransaction(async (tx) => {
    await tx.$executeRaw`SET TRANSACTION READ ONLY`;
    await tx.user.deleteMany({ where: { id: 'usr_none' } });
  });
  await expect(write).rejects.toMatchObject({ code: 'unavailable' });
});

it('undoes a transaction that fails', async () => {
  const { tenantId } = await addTenant(db);
  const id = newId('usr');
  const failing = db.prismaTransaction(async (tx) => {
    await tx.user.create({ data: { id, tenantId, name: 'Eve' } });
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow();
  expect(await db.prisma.user.count({ where: { id } })).toBe(0);
});

it('tells conflicts from constraints and keeps values out of messages', async () => {
  const { tenantId } = await addTenant(db);
  const user = { name: 'Eve', externalId: 'employee-4711' };
  await createUser(db, { tenantId, actor, user });
  const twice = await createUser(db, { tenantId, actor, user }).catch((fault: unknown) => fault);
  expect(twice).toMatchObject({ code: 'conflict', retryable: false });
  expect(String(twice)).not.toContain('4711');
  const orphan = createUser(db, { tenantId: 'ten_none', actor, user });
  await expect(orphan).rejects.toMatchObject({ code: 'constraint' });
});

it('makes ids that sort in the order of their making', () => {
  const ids = Array.from({ length: 20_000 }, () => newId('sig'));
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids[0]).toMatch(/^sig_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
});
