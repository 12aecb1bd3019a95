import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cancelBatch,
  claimSigning,
  completeSigning,
  createApiKey,
  createBatch,
  createGrant,
  createSigning,
  failSigning,
  getBatch,
  getSigning,
  listSignings,
  type Database,
  type Idempotency,
} from '../src/index.ts';
import {
  actor,
  addEndpoint,
  addTenant,
  addUser,
  result,
  signingRequest,
  type Tenant,
} from './records.ts';
import { startTestDatabase, type TestDatabase } from './test-database.ts';

let server: TestDatabase;
let db: Database;
let tenant: Tenant;

beforeAll(async () => {
  server = await startTestDatabase();
  db = server.db;
  tenant = await addTenant(db);
});
afterAll(() => server.close());

function items(count: number, keyId = tenant.keyId) {
  return Array.from({ length: count }, (_, index) => ({ index, request: signingRequest(keyId) }));
}

function idempotency(key: string, body = key): Idempotency {
  return { key, requestHash: createHash('sha256').update(body).digest() };
}

async function finish(id: string, n: number): Promise<void> {
  const claim = await claimSigning(db, { id, workerId: `w${n}`, leaseSeconds: 60 });
  if ('refused' in claim) throw new Error(claim.refused);
  const held = { id, fencingToken: claim.fencingToken };
  if (n % 3 === 0) await failSigning(db, { ...held, errorCode: 'damaged', errorMessage: 'broken' });
  else await completeSigning(db, { ...held, result });
}

describe('a batch', () => {
  it('counts exactly and completes once when its signings end all together', async () => {
    const { tenantId } = tenant;
    await addEndpoint(db, tenantId);
    const { resource } = await createBatch(db, { ...tenant, items: items(60) });
    const { id } = resource.batch;
    expect(resource.batch).toMatchObject({ total: 60, remaining: 60, completedAt: null });
    expect(resource.items.map((item) => item.index)).toEqual(items(60).map((item) => item.index));
    await Promise.all(resource.items.map((item, n) => finish(item.id, n)));
    const batch = await getBatch(db, { tenantId, id });
    expect(batch).toMatchObject({ remaining: 0, completed: 40, failed: 20, canceled: 0 });
    expect(batch.completedAt).toBeInstanceOf(Date);
    const events = await db.prisma.event.findMany({ where: { subject: id } });
    expect(events.map((event) => event.type)).toEqual(['batch.completed']);
    expect(events[0]?.data).toMatchObject({ id, total: 60, completed: 40, failed: 20 });
    expect(await db.prisma.webhookDelivery.count({ where: { eventId: events[0]?.id ?? '' } })).toBe(
      1,
    );
  });

  it('refuses single items whose key cannot be used, and keeps what the caller refused', async () => {
    const other = await addTenant(db);
    const refused = { index: 3, code: 'source_invalid', message: 'no bucket' };
    const { resource } = await createBatch(db, {
      ...tenant,
      items: [...items(2), { index: 2, request: signingRequest(other.keyId) }],
      rejections: [refused],
    });
    expect(resource.batch).toMatchObject({ total: 2, remaining: 2 });
    expect(resource.items.map((item) => item.index)).toEqual([0, 1]);
    expect(resource.rejections.map(({ index, code }) => [index, code])).toEqual([
      [3, 'source_invalid'],
      [2, 'key_not_usable'],
    ]);
  });

  it('is complete at once when nothing of it was accepted', async () => {
    const { resource } = await createBatch(db, { ...tenant, items: items(1, 'key_none') });
    expect(resource.batch).toMatchObject({ total: 0, remaining: 0 });
    expect(resource.batch.completedAt).toBeInstanceOf(Date);
    const event = { subject: resource.batch.id, type: 'batch.completed' };
    expect(await db.prisma.event.count({ where: event })).toBe(1);
  });

  it('has 10,000 items at most', async () => {
    const { resource } = await createBatch(db, { ...tenant, items: items(10_000) });
    expect(resource.batch.total).toBe(10_000);
    expect(resource.items).toHaveLength(10_000);
    await expect(createBatch(db, { ...tenant, items: items(10_001) })).rejects.toMatchObject({
      code: 'invalid_input',
    });
  });

  it('is canceled as far as it is queued', async () => {
    const { resource } = await createBatch(db, { ...tenant, items: items(5) });
    const { id } = resource.batch;
    await finish(resource.items[1]?.id ?? '', 1);
    const cancel = { tenantId: tenant.tenantId, actor, id };
    expect(await cancelBatch(db, cancel)).toMatchObject({ canceled: 4 });
    expect(await cancelBatch(db, cancel)).toEqual({ canceled: 0, deliveryIds: [] });
    expect(await getBatch(db, cancel)).toMatchObject({ remaining: 0, completed: 1, canceled: 4 });
    expect(await db.prisma.event.count({ where: { subject: id } })).toBe(1);
    await expect(cancelBatch(db, { ...cancel, id: 'bat_none' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('an idempotency key', () => {
  it('makes concurrent submissions of one request one signing', async () => {
    const request = signingRequest(tenant.keyId);
    const submissions = await Promise.all(
      Array.from({ length: 20 }, () =>
        createSigning(db, { ...tenant, request, idempotency: idempotency('one') }),
      ),
    );
    expect(new Set(submissions.map(({ resource }) => resource.id)).size).toBe(1);
    expect(submissions.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  it('makes concurrent submissions of one batch one batch with the same items', async () => {
    const submissions = await Promise.all(
      Array.from({ length: 8 }, () =>
        createBatch(db, { ...tenant, items: items(30), idempotency: idempotency('many') }),
      ),
    );
    expect(new Set(submissions.map(({ resource }) => resource.batch.id)).size).toBe(1);
    const ids = submissions.map(({ resource }) => resource.items.map((item) => item.id).join());
    expect(new Set(ids).size).toBe(1);
    expect(submissions.filter(({ replayed }) => !replayed)).toHaveLength(1);
    const { tenantId } = tenant;
    const batchId = submissions[0]?.resource.batch.id ?? '';
    expect(await db.prisma.signing.count({ where: { tenantId, batchId } })).toBe(30);
  });

  it('refuses another request', async () => {
    const request = signingRequest(tenant.keyId);
    await createSigning(db, { ...tenant, request, idempotency: idempotency('two') });
    const other = createSigning(db, {
      ...tenant,
      request,
      idempotency: idempotency('two', 'other body'),
    });
    await expect(other).rejects.toMatchObject({ code: 'idempotency_mismatch' });
  });

  it('belongs to its tenant', async () => {
    const other = await addTenant(db);
    const first = await createSigning(db, {
      ...tenant,
      request: signingRequest(tenant.keyId),
      idempotency: idempotency('three'),
    });
    const second = await createSigning(db, {
      ...other,
      request: signingRequest(other.keyId),
      idempotency: idempotency('three', 'other body'),
    });
    expect(second.replayed).toBe(false);
    expect(second.resource.id).not.toBe(first.resource.id);
  });

  it('is not used up by a submission that was refused', async () => {
    const used = { ...tenant, idempotency: idempotency('four') };
    const refused = createSigning(db, { ...used, request: signingRequest('key_none') });
    await expect(refused).rejects.toMatchObject({ code: 'not_found' });
    const accepted = await createSigning(db, { ...used, request: signingRequest(tenant.keyId) });
    expect(accepted.replayed).toBe(false);
  });
});

describe('the list of signings', () => {
  it('comes in pages, newest first, each signing once', async () => {
    const listed = await addTenant(db);
    const { tenantId } = listed;
    const { resource } = await createBatch(db, {
      ...listed,
      items: items(25, listed.keyId),
    });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listSignings(db, {
        tenantId,
        limit: 10,
        filter: { batchId: resource.batch.id, state: 'queued' },
        ...(cursor === undefined ? {} : { cursor }),
      });
      seen.push(...page.items.map((item) => item.id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(resource.items.map((item) => item.id).reverse());
    const none = await listSignings(db, { tenantId, limit: 10, filter: { state: 'failed' } });
    expect(none).toEqual({ items: [] });
  });

  it('is bounded by the time of acceptance', async () => {
    const listed = await addTenant(db);
    const { tenantId } = listed;
    await createBatch(db, { ...listed, items: items(2, listed.keyId) });
    const found = async (createdAfter: Date, createdBefore: Date) =>
      (await listSignings(db, { tenantId, limit: 10, filter: { createdAfter, createdBefore } }))
        .items.length;
    const now = Date.now();
    const [before, after] = [new Date(now - 60_000), new Date(now + 60_000)];
    expect(await found(before, after)).toBe(2);
    expect(await found(new Date(0), before)).toBe(0);
    expect(await found(after, new Date(now + 120_000))).toBe(0);
  });

  it('shows a caller what it submitted or may sign with', async () => {
    const listed = await addTenant(db);
    const { tenantId } = listed;
    const mine = await createSigning(db, { ...listed, request: signingRequest(listed.keyId) });
    const { apiKey } = await createApiKey(db, {
      tenantId,
      actor,
      apiKey: { name: 'narrow', scopes: [] },
    });
    const visibleTo = apiKey.id;
    const list = async () => (await listSignings(db, { tenantId, limit: 10, visibleTo })).items;
    expect(await list()).toEqual([]);
    const hidden = getSigning(db, { tenantId, id: mine.resource.id, visibleTo });
    await expect(hidden).rejects.toMatchObject({ code: 'not_found' });
    const otherUser = await addUser(db, tenantId, 'Bob');
    await createGrant(db, { tenantId, actor, apiKeyId: visibleTo, userId: otherUser });
    expect(await list()).toEqual([]);
    await createGrant(db, { tenantId, actor, apiKeyId: visibleTo, keyId: listed.keyId });
    expect((await list()).map((it) => it.id)).toEqual([mine.resource.id]);
    const submitted = await createSigning(db, {
      ...listed,
      apiKeyId: visibleTo,
      request: signingRequest(listed.keyId),
    });
    expect((await list()).map((it) => it.id)).toContain(submitted.resource.id);
    const byOwner = await listSignings(db, { tenantId, limit: 10, visibleTo: listed.apiKeyId });
    expect(byOwner.items).toHaveLength(2);
  });
});
