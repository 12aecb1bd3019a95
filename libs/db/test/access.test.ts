import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bootstrapTenant,
  canUseKey,
  createApiKey,
  createGrant,
  deleteGrant,
  findCaller,
  findUsableKeys,
  listApiKeys,
  revokeApiKey,
  revokeKey,
  scopes,
  type Database,
} from '../src/index.ts';
import { actor, addActiveKey, addTenant, addUser, type Tenant } from './records.ts';
import { startTestDatabase, type TestDatabase } from './test-database.ts';

let server: TestDatabase;
let db: Database;
let tenant: Tenant;

beforeAll(async () => {
  server = await startTestDatabase();
  db = server.db;
});
afterAll(() => server.close());

async function caller(): Promise<{ tenantId: string; apiKeyId: string; token: string }> {
  const { tenantId } = tenant;
  const apiKey = { name: 'narrow', scopes: ['signings:write' as const] };
  const created = await createApiKey(db, { tenantId, actor, apiKey });
  return { tenantId, apiKeyId: created.apiKey.id, token: created.token };
}

it('bootstraps one tenant with an owner who may do everything', async () => {
  const made = await Promise.all(
    Array.from({ length: 5 }, () => bootstrapTenant(db, { name: 'default' })),
  );
  const tenants = made.filter((it) => it !== null);
  expect(tenants).toHaveLength(1);
  const owner = await findCaller(db, tenants[0]?.token ?? '');
  expect(owner).toMatchObject({ tenantId: tenants[0]?.tenantId, scopes });
  const { tenantId = '', apiKeyId = '' } = owner ?? {};
  const keyId = await addActiveKey(db, tenantId, await addUser(db, tenantId));
  expect(await canUseKey(db, { tenantId, apiKeyId }, keyId)).toBe(true);
  expect(await bootstrapTenant(db, { name: 'second' })).toBeNull();
});

describe('an API key', () => {
  beforeAll(async () => {
    tenant = await addTenant(db);
  });

  it('is found by its token and by nothing near it', async () => {
    const { token, apiKeyId, tenantId } = await caller();
    expect(token).toMatch(/^sf_[0-9a-f]{10}_[A-Za-z0-9_-]{43}$/);
    const found = await findCaller(db, token);
    expect(found).toEqual({ tenantId, apiKeyId, name: 'narrow', scopes: ['signings:write'] });
    const last = token.at(-2) === 'A' ? 'B' : 'A';
    const wrong = `${token.slice(0, -2)}${last}${token.slice(-1)}`;
    for (const other of [wrong, `${token}A`, token.slice(0, -1), ` ${token}`, 'sf__', '']) {
      expect(await findCaller(db, other)).toBeNull();
    }
  });

  it('keeps neither token nor secret', async () => {
    const { token, apiKeyId } = await caller();
    const secret = token.split('_').slice(2).join('_');
    const row = await db.prisma.apiKey.findUniqueOrThrow({ where: { id: apiKeyId } });
    expect(row).not.toHaveProperty('secretHash');
    expect(JSON.stringify(row)).not.toContain(secret);
    const page = await listApiKeys(db, { tenantId: tenant.tenantId, limit: 100 });
    expect(JSON.stringify(page)).not.toContain(secret);
  });

  it('ends when it expires or is revoked', async () => {
    const { tenantId } = tenant;
    const expiring = { name: 'old', scopes: [], expiresAt: new Date(Date.now() - 1000) };
    const expired = await createApiKey(db, { tenantId, actor, apiKey: expiring });
    expect(await findCaller(db, expired.token)).toBeNull();
    const { token, apiKeyId } = await caller();
    await revokeApiKey(db, { tenantId, actor, id: apiKeyId });
    expect(await findCaller(db, token)).toBeNull();
    const again = revokeApiKey(db, { tenantId, actor, id: apiKeyId });
    await expect(again).rejects.toMatchObject({ code: 'invalid_state' });
  });

  it('notes its use, not every time', async () => {
    const { token, apiKeyId: id } = await caller();
    const lastUsedAt = async () =>
      (await db.prisma.apiKey.findUniqueOrThrow({ where: { id } })).lastUsedAt;
    expect(await lastUsedAt()).toBeNull();
    await findCaller(db, token);
    const first = await lastUsedAt();
    expect(first).toBeInstanceOf(Date);
    await findCaller(db, token);
    expect(await lastUsedAt()).toEqual(first);
    const long = new Date(Date.now() - 120_000);
    await db.prisma.apiKey.update({ where: { id }, data: { lastUsedAt: long } });
    await findCaller(db, token);
    expect(await lastUsedAt()).not.toEqual(long);
  });
});

describe('a grant', () => {
  beforeAll(async () => {
    tenant = await addTenant(db);
  });

  it('on a key allows that key only, on a user all keys of the user, and can be withdrawn', async () => {
    const user = await addUser(db, tenant.tenantId, 'Bob');
    const [first, second] = [
      await addActiveKey(db, tenant.tenantId, user),
      await addActiveKey(db, tenant.tenantId, user),
    ];
    const who = await caller();
    const allowed = async () =>
      Promise.all([first, second, tenant.keyId].map((id) => canUseKey(db, who, id)));
    expect(await allowed()).toEqual([false, false, false]);
    const onKey = await createGrant(db, { ...who, actor, keyId: first });
    expect(await allowed()).toEqual([true, false, false]);
    expect(await createGrant(db, { ...who, actor, keyId: first })).toEqual(onKey);
    const onUser = await createGrant(db, { ...who, actor, userId: user });
    expect(await allowed()).toEqual([true, true, false]);
    await deleteGrant(db, { ...who, actor, id: onUser.id });
    expect(await allowed()).toEqual([true, false, false]);
    await createGrant(db, { ...who, actor });
    expect(await allowed()).toEqual([true, true, true]);
  });

  it('never reaches into another tenant', async () => {
    const other = await addTenant(db);
    const who = await caller();
    await createGrant(db, { ...who, actor });
    expect(await canUseKey(db, who, other.keyId)).toBe(false);
    const foreign = createGrant(db, { ...who, actor, userId: other.userId });
    await expect(foreign).rejects.toMatchObject({ code: 'not_found' });
    const theirs = createGrant(db, {
      tenantId: other.tenantId,
      actor,
      apiKeyId: who.apiKeyId,
    });
    await expect(theirs).rejects.toMatchObject({ code: 'not_found' });
  });

  it('finds the newest active key of a user', async () => {
    const user = await addUser(db, tenant.tenantId, 'Cy');
    const older = await addActiveKey(db, tenant.tenantId, user);
    const newer = await addActiveKey(db, tenant.tenantId, user);
    const who = await caller();
    await createGrant(db, { ...who, actor, userId: user });
    const ask = { ...who, userIds: [user, tenant.userId, 'usr_none'] };
    const newest = async () =>
      [...(await findUsableKeys(db, ask)).byUserId.values()].map((key) => key.id);
    expect(await newest()).toEqual([newer]);
    await revokeKey(db, { ...who, actor, id: newer, reason: 'lost' });
    expect(await newest()).toEqual([older]);
  });
});
