import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  claimKeyEnrolment,
  completeKeyEnrolment,
  createKey,
  failKeyEnrolment,
  getKey,
  importCertificate,
  listEvents,
  listKeys,
  releaseKeyEnrolment,
  revokeKey,
  type Database,
  type Key,
} from '../src/index.ts';
import { actor, addTenant, certificate, keyRecord, type Tenant } from './records.ts';
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

async function pendingKey(certificateMode: 'builtin' | 'csr' = 'builtin'): Promise<Key> {
  const key = { ...tenant, actor, algorithm: 'RSA-3072', certificateMode };
  return (await createKey(db, key)).resource;
}

async function claimed(id: string, leaseSeconds = 60) {
  const claim = await claimKeyEnrolment(db, { id, workerId: 'w1', leaseSeconds });
  if ('refused' in claim) throw new Error(claim.refused);
  return claim;
}

describe('enrolment', () => {
  it('is looked after by the clock of the database, not by that of who orders it', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 });
    const { wakeAt } = await pendingKey().finally(() => vi.useRealTimers());
    expect(Math.abs(wakeAt!.getTime() - Date.now())).toBeLessThan(3_600_000);
  });

  it('is claimed once, with what the certificate needs', async () => {
    const { id } = await pendingKey();
    const claims = await Promise.all(
      Array.from({ length: 20 }, () =>
        claimKeyEnrolment(db, { id, workerId: 'w', leaseSeconds: 60 }),
      ),
    );
    const winners = claims.filter((claim) => !('refused' in claim));
    expect(winners).toHaveLength(1);
    expect(winners[0]).toMatchObject({
      keyId: id,
      userId: tenant.userId,
      algorithm: 'RSA-3072',
      certificateMode: 'builtin',
      name: 'Ada',
      fencingToken: 1,
    });
  });

  it('makes the key active with its certificate, once, and announces it', async () => {
    const { id } = await pendingKey();
    const first = await claimed(id, -1);
    const second = await claimed(id);
    const made = { record: keyRecord, certificate: { ...certificate, serialNumber: id } };
    const late = await completeKeyEnrolment(db, { id, ...made, fencingToken: first.fencingToken });
    expect(late).toEqual({ outcome: 'fenced' });
    const current = { id, ...made, fencingToken: second.fencingToken };
    expect(await completeKeyEnrolment(db, current)).toEqual({ outcome: 'active', deliveryIds: [] });
    expect(await completeKeyEnrolment(db, current)).toEqual({ outcome: 'fenced' });
    const key = await getKey(db, { ...tenant, id });
    expect(key).toMatchObject({ state: 'active', keyEncryptionKeyId: 'kek-1', wakeAt: null });
    expect(Buffer.from(key.publicKey ?? [])).toEqual(keyRecord.publicKey);
    const stored = await db.prisma.certificate.findMany({ where: { keyId: id } });
    expect(stored.map((it) => it.chain.map((der) => Buffer.from(der)))).toEqual([
      certificate.issuers,
    ]);
    expect(stored[0]?.id).toBe(key.activeCertificateId);
    const events = await listEvents(db, { tenantId: tenant.tenantId, limit: 100 });
    const own = events.filter((event) => event.subject === id);
    expect(own.map((event) => event.type)).toEqual(['key.enrolled']);
    expect(own[0]?.data).toMatchObject({ id, state: 'active' });
  });

  it('waits for an outside certificate when there is a CSR', async () => {
    const { id } = await pendingKey('csr');
    const { fencingToken } = await claimed(id);
    const csr = Buffer.from('csr');
    const done = await completeKeyEnrolment(db, { id, fencingToken, record: keyRecord, csr });
    expect(done).toMatchObject({ outcome: 'awaiting_certificate' });
    const outside = { ...certificate, serialNumber: id };
    const imported = await importCertificate(db, {
      ...tenant,
      actor,
      keyId: id,
      certificate: outside,
    });
    expect(await getKey(db, { ...tenant, id })).toMatchObject({
      state: 'active',
      activeCertificateId: imported.id,
    });
    const again = importCertificate(db, { ...tenant, actor, keyId: id, certificate: outside });
    await expect(again).rejects.toMatchObject({ code: 'conflict' });
  });

  it('fails with a reason, and is tried again when released', async () => {
    const { id } = await pendingKey();
    const fault = { errorCode: 'session_lost', errorMessage: 'the HSM is gone' };
    const first = await claimed(id);
    const held = { id, fencingToken: first.fencingToken, ...fault };
    expect(await releaseKeyEnrolment(db, { ...held, retryInMs: 10 })).toBe('released');
    expect(await failKeyEnrolment(db, held)).toEqual({ outcome: 'fenced' });
    const second = await claimed(id);
    const failed = await failKeyEnrolment(db, { ...held, fencingToken: second.fencingToken });
    expect(failed).toMatchObject({ outcome: 'failed' });
    expect(await getKey(db, { ...tenant, id })).toMatchObject({ state: 'failed', ...fault });
    const refused = await claimKeyEnrolment(db, { id, workerId: 'w', leaseSeconds: 1 });
    expect(refused).toEqual({ refused: 'not_queued' });
  });

  it('cannot complete a key that was revoked meanwhile', async () => {
    const { id } = await pendingKey();
    const { fencingToken } = await claimed(id);
    await revokeKey(db, { ...tenant, actor, id, reason: 'mistake' });
    const done = await completeKeyEnrolment(db, {
      id,
      fencingToken,
      record: keyRecord,
      certificate,
    });
    expect(done).toEqual({ outcome: 'fenced' });
    const again = revokeKey(db, { ...tenant, actor, id, reason: 'mistake' });
    await expect(again).rejects.toMatchObject({ code: 'invalid_state' });
  });
});

describe('reads of keys', () => {
  it('never contain the wrapped private key', async () => {
    const key = await getKey(db, { ...tenant, id: tenant.keyId });
    const page = await listKeys(db, { ...tenant, limit: 100 });
    const revoked = await revokeKey(db, { ...tenant, actor, id: tenant.keyId, reason: 'test' });
    for (const read of [key, revoked, ...page.items]) expect(read).not.toHaveProperty('wrappedKey');
    expect(page.items.length).toBeGreaterThan(1);
  });

  it('are limited to the tenant', async () => {
    const other = await addTenant(db);
    await expect(getKey(db, { ...other, id: tenant.keyId })).rejects.toMatchObject({
      code: 'not_found',
    });
    const page = await listKeys(db, { ...other, limit: 10, filter: { state: 'active' } });
    expect(page.items.map((key) => key.id)).toEqual([other.keyId]);
    const order = { ...other, actor, algorithm: 'P-256', certificateMode: 'csr' as const };
    await expect(createKey(db, { ...order, userId: tenant.userId })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
