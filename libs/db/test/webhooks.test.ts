import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  claimDelivery,
  claimSigning,
  completeSigning,
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  getWebhookEndpoint,
  listDeliveries,
  listWebhookEndpoints,
  recordDeliveryAttempt,
  takeStaleDeliveries,
  takeStaleSignings,
  updateWebhookEndpoint,
  type Database,
} from '../src/index.ts';
import { actor, addEndpoint, addSigning, addTenant, result, type Tenant } from './records.ts';
import { startTestDatabase, type TestDatabase } from './test-database.ts';

let server: TestDatabase;
let db: Database;
let tenant: Tenant;
let endpointId: string;

beforeAll(async () => {
  server = await startTestDatabase();
  db = server.db;
  tenant = await addTenant(db);
  endpointId = await addEndpoint(db, tenant.tenantId);
});
afterAll(() => server.close());

async function pendingDelivery(): Promise<string> {
  const { id } = await addSigning(db, tenant);
  await claimSigning(db, { id, workerId: 'w', leaseSeconds: 60 });
  const done = await completeSigning(db, { id, fencingToken: 1, result });
  const [delivery] = 'deliveryIds' in done ? done.deliveryIds : [];
  return delivery ?? '';
}

async function claimed(id: string, leaseSeconds = 60) {
  const claim = await claimDelivery(db, { id, leaseSeconds });
  if ('refused' in claim) throw new Error(claim.refused);
  return claim;
}

async function wakeUp(table: 'signing' | 'webhookDelivery', ids: readonly string[]): Promise<void> {
  const past = { where: { id: { in: [...ids] } }, data: { wakeAt: new Date(0) } };
  if (table === 'signing') await db.prisma.signing.updateMany(past);
  else await db.prisma.webhookDelivery.updateMany(past);
}

describe('a delivery', () => {
  it('is claimed once, with what has to be sent', async () => {
    const id = await pendingDelivery();
    const claims = await Promise.all(
      Array.from({ length: 20 }, () => claimDelivery(db, { id, leaseSeconds: 60 })),
    );
    const winners = claims.filter((claim) => !('refused' in claim));
    expect(winners).toHaveLength(1);
    expect(winners[0]).toMatchObject({
      endpointId,
      url: 'https://example.test/hook',
      endpointEnabled: true,
      eventType: 'signing.completed',
      attempts: 0,
      sealedSecret: Buffer.from('sealed'),
    });
  });

  it('is tried until delivered, each attempt on record', async () => {
    const id = await pendingDelivery();
    const first = await claimed(id);
    const retry = {
      id,
      fencingToken: first.fencingToken,
      attempt: { errorCode: 'timeout', durationMillis: 10_000.4 },
      next: { state: 'pending' as const, retryInMs: 5_000 },
    };
    expect(await recordDeliveryAttempt(db, retry)).toBe('recorded');
    expect(await recordDeliveryAttempt(db, retry)).toBe('fenced');
    const second = await claimed(id);
    expect(second.attempts).toBe(1);
    const done = {
      id,
      fencingToken: second.fencingToken,
      attempt: { status: 204, durationMillis: 12 },
      next: { state: 'delivered' as const },
    };
    expect(await recordDeliveryAttempt(db, done)).toBe('recorded');
    expect(await claimDelivery(db, { id, leaseSeconds: 1 })).toEqual({ refused: 'not_queued' });
    const attempts = await db.prisma.webhookAttempt.findMany({
      where: { deliveryId: id },
      orderBy: { number: 'asc' },
    });
    expect(attempts.map(({ number, status, errorCode }) => [number, status, errorCode])).toEqual([
      [1, null, 'timeout'],
      [2, 204, null],
    ]);
  });

  it('is not recorded by a claim that lost its lease to another', async () => {
    const id = await pendingDelivery();
    const first = await claimed(id, -1);
    await claimed(id);
    const late = await recordDeliveryAttempt(db, {
      id,
      fencingToken: first.fencingToken,
      attempt: { status: 200, durationMillis: 1 },
      next: { state: 'delivered' },
    });
    expect(late).toBe('fenced');
    expect(await db.prisma.webhookAttempt.count({ where: { deliveryId: id } })).toBe(0);
  });

  it('tells when its endpoint is out of use, and comes in pages', async () => {
    const own = await addTenant(db);
    const gone = await addEndpoint(db, own.tenantId);
    for (let n = 0; n < 3; n += 1) {
      const { id } = await addSigning(db, own);
      await claimSigning(db, { id, workerId: 'w', leaseSeconds: 60 });
      await completeSigning(db, { id, fencingToken: 1, result });
    }
    const list = { tenantId: own.tenantId, endpointId: gone, limit: 2 };
    const first = await listDeliveries(db, list);
    const second = await listDeliveries(db, { ...list, cursor: first.nextCursor ?? '' });
    const ids = [...first.items, ...second.items].map((it) => it.id);
    expect(new Set(ids).size).toBe(3);
    expect(second.nextCursor).toBeUndefined();
    await deleteWebhookEndpoint(db, { ...own, actor, id: gone });
    expect((await claimed(ids[0] ?? '')).endpointEnabled).toBe(false);
    const malformed = listDeliveries(db, { ...list, cursor: 'x' });
    await expect(malformed).rejects.toMatchObject({ code: 'invalid_input' });
  });
});

describe('an endpoint', () => {
  it('is read without its secret, changed, and gone when deleted', async () => {
    const { resource } = await createWebhookEndpoint(db, {
      ...tenant,
      actor,
      endpoint: {
        url: 'https://a.test/',
        eventTypes: ['key.enrolled'],
        sealedSecret: Buffer.from('very secret'),
      },
    });
    const own = { tenantId: tenant.tenantId, id: resource.id };
    const changed = await updateWebhookEndpoint(db, { ...own, actor, change: { enabled: false } });
    expect(changed).toMatchObject({ enabled: false, eventTypes: ['key.enrolled'] });
    const page = await listWebhookEndpoints(db, { ...own, limit: 10 });
    for (const read of [resource, changed, ...page.items]) {
      expect(read).not.toHaveProperty('sealedSecret');
    }
    await deleteWebhookEndpoint(db, { ...own, actor });
    await expect(getWebhookEndpoint(db, own)).rejects.toMatchObject({ code: 'not_found' });
    const other = await addTenant(db);
    const foreign = updateWebhookEndpoint(db, {
      tenantId: other.tenantId,
      actor,
      id: endpointId,
      change: { enabled: false },
    });
    await expect(foreign).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('rows without a sign of life', () => {
  it('are handed to one of several reconcilers, and again later', async () => {
    const signings = await Promise.all(Array.from({ length: 30 }, () => addSigning(db, tenant)));
    const ids = signings.map(({ id }) => id).sort();
    expect(await takeStaleSignings(db, { limit: 100 })).toEqual([]);
    await wakeUp('signing', ids);
    const taken = await Promise.all(
      Array.from({ length: 4 }, () => takeStaleSignings(db, { limit: 10 })),
    );
    const all = [...taken.flat(), ...(await takeStaleSignings(db, { limit: 100 }))];
    expect([...all].sort()).toEqual(ids);
    await wakeUp('signing', ids.slice(0, 2));
    expect((await takeStaleSignings(db, { limit: 100 })).sort()).toEqual(ids.slice(0, 2));
  });

  it('include a claim whose lease ran out, but nothing final', async () => {
    const abandoned = await addSigning(db, tenant);
    await claimSigning(db, { id: abandoned.id, workerId: 'dead', leaseSeconds: -1 });
    const done = await addSigning(db, tenant);
    await claimSigning(db, { id: done.id, workerId: 'w', leaseSeconds: -1 });
    await completeSigning(db, { id: done.id, fencingToken: 1, result });
    expect(await takeStaleSignings(db, { limit: 100 })).toEqual([abandoned.id]);
    const delivery = await pendingDelivery();
    expect(await takeStaleDeliveries(db, { limit: 100 })).toEqual([]);
    await wakeUp('webhookDelivery', [delivery]);
    expect(await takeStaleDeliveries(db, { limit: 100 })).toEqual([delivery]);
  });
});
