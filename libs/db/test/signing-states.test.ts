import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cancelSigning,
  claimSigning,
  completeSigning,
  createSigning,
  extendSigningLease,
  failSigning,
  getSigning,
  listEvents,
  releaseSigning,
  revokeKey,
  type ClaimedSigning,
  type Database,
} from '../src/index.ts';
import {
  actor,
  addEndpoint,
  addSigning,
  addTenant,
  certificate,
  keyRecord,
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
});
afterAll(() => server.close());

async function claimed(id: string, leaseSeconds = 60): Promise<ClaimedSigning> {
  const claim = await claimSigning(db, { id, workerId: 'w1', leaseSeconds });
  if ('refused' in claim) throw new Error(claim.refused);
  return claim;
}

describe('a signing', () => {
  beforeAll(async () => {
    tenant = await addTenant(db);
  });

  it('is accepted as queued with everything that was asked', async () => {
    const request = signingRequest(tenant.keyId);
    const { resource, replayed } = await createSigning(db, { ...tenant, request });
    expect(replayed).toBe(false);
    expect(resource).toMatchObject({
      state: 'queued',
      tenantId: tenant.tenantId,
      userId: tenant.userId,
      sourceVersionId: 'v1',
      sourceSha256: 'aa'.repeat(32),
      destinationKey: 'a.signed.pdf',
      reason: 'approved',
      location: null,
      metadata: { order: 7 },
      fencingToken: 0,
    });
    const read = await getSigning(db, { tenantId: tenant.tenantId, id: resource.id });
    expect(read).toEqual(resource);
  });

  it('is refused for a key of another tenant', async () => {
    const other = await addTenant(db);
    const request = signingRequest(other.keyId);
    await expect(createSigning(db, { ...tenant, request })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('is hidden from another tenant', async () => {
    const other = await addTenant(db);
    const { id } = await addSigning(db, tenant);
    await expect(getSigning(db, { tenantId: other.tenantId, id })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('is claimed with the key record and the certificate chain, leaf first', async () => {
    const { id } = await addSigning(db, tenant);
    const claim = await claimed(id);
    expect(claim).toMatchObject({ fencingToken: 1, keyState: 'active' });
    expect(claim.signing).toMatchObject({ state: 'signing', attempts: 1, workerId: 'w1' });
    expect(claim.key?.record).toEqual({
      tenantId: tenant.tenantId,
      userId: tenant.userId,
      keyId: tenant.keyId,
      algorithm: 'P-256',
      ...keyRecord,
    });
    expect(claim.key?.certificateChain).toEqual([certificate.der, ...certificate.issuers]);
    const entry = { subject: tenant.keyId, action: 'key.use', details: { contains: id } };
    expect(await db.prisma.auditEntry.count({ where: entry })).toBe(1);
  });

  it('has one winner among 50 concurrent claims', async () => {
    const { id } = await addSigning(db, tenant);
    const claims = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        claimSigning(db, { id, workerId: `w${n}`, leaseSeconds: 60 }),
      ),
    );
    expect(claims.filter((claim) => !('refused' in claim))).toHaveLength(1);
    expect(claims.filter((claim) => 'refused' in claim && claim.refused === 'held')).toHaveLength(
      49,
    );
    const uses = { action: 'key.use', details: { contains: id } };
    expect(await db.prisma.auditEntry.count({ where: uses })).toBe(1);
  });

  it('says why it cannot be claimed', async () => {
    const { id } = await addSigning(db, tenant);
    const claim = { workerId: 'w2', leaseSeconds: 60 };
    await claimed(id);
    expect(await claimSigning(db, { ...claim, id })).toEqual({ refused: 'held' });
    expect(await claimSigning(db, { ...claim, id: 'sig_none' })).toEqual({ refused: 'not_found' });
    await completeSigning(db, { id, fencingToken: 1, result });
    expect(await claimSigning(db, { ...claim, id })).toEqual({ refused: 'not_queued' });
  });

  it('is completed once by the newest claim only', async () => {
    const { id } = await addSigning(db, tenant);
    const first = await claimed(id, -1);
    const second = await claimed(id);
    expect(second.fencingToken).toBe(first.fencingToken + 1);
    const late = { id, fencingToken: first.fencingToken };
    expect(await completeSigning(db, { ...late, result })).toEqual({ outcome: 'fenced' });
    const fault = { errorCode: 'x', errorMessage: 'x' };
    expect(await failSigning(db, { ...late, ...fault })).toEqual({ outcome: 'fenced' });
    expect(await releaseSigning(db, { ...late, ...fault, retryInMs: 0 })).toBe('fenced');
    expect(await extendSigningLease(db, { ...late, leaseSeconds: 9 })).toBe('fenced');
    const current = { id, fencingToken: second.fencingToken };
    expect(await extendSigningLease(db, { ...current, leaseSeconds: 60 })).toBe('extended');
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => completeSigning(db, { ...current, result })),
    );
    expect(outcomes.map((it) => it.outcome).sort()).toEqual([
      'completed',
      ...Array<string>(9).fill('fenced'),
    ]);
    expect(await getSigning(db, { tenantId: tenant.tenantId, id })).toMatchObject({
      state: 'completed',
      resultSha256: result.sha256,
      resultSize: 1234n,
      resultVersionId: 'v2',
      level: 'B-B',
      stageMillis: { load: 1.5, sign: 2 },
      leaseExpiresAt: null,
      wakeAt: null,
    });
    expect(await db.prisma.event.count({ where: { subject: id } })).toBe(1);
  });

  it('goes back to the queue with the reason and can be claimed again', async () => {
    const { id } = await addSigning(db, tenant);
    const { fencingToken } = await claimed(id);
    const fault = { errorCode: 'storage_unavailable', errorMessage: 'S3 answered 503' };
    const released = await releaseSigning(db, { id, fencingToken, retryInMs: 1500, ...fault });
    expect(released).toBe('released');
    const row = await getSigning(db, { tenantId: tenant.tenantId, id });
    expect(row).toMatchObject({ state: 'queued', errorCode: 'storage_unavailable' });
    expect((await claimed(id)).signing.attempts).toBe(2);
  });

  it('hands out no key once the key is revoked', async () => {
    const doomed = await addTenant(db);
    const { id } = await addSigning(db, doomed);
    await revokeKey(db, { ...doomed, actor, id: doomed.keyId, reason: 'lost' });
    const claim = await claimed(id);
    expect(claim.keyState).toBe('revoked');
    expect(claim.key).toBeUndefined();
    const entry = { subject: doomed.keyId, action: { in: ['key.use', 'key.refuse'] } };
    const entries = await db.prisma.auditEntry.findMany({ where: entry });
    expect(entries.map((it) => it.action)).toEqual(['key.refuse']);
  });

  it('is canceled only while queued', async () => {
    const cancel = { tenantId: tenant.tenantId, actor };
    const { id } = await addSigning(db, tenant);
    await cancelSigning(db, { ...cancel, id });
    expect((await getSigning(db, { ...cancel, id })).state).toBe('canceled');
    const { id: taken } = await addSigning(db, tenant);
    await claimed(taken);
    await expect(cancelSigning(db, { ...cancel, id: taken })).rejects.toMatchObject({
      code: 'invalid_state',
      details: { state: 'signing' },
    });
    await expect(cancelSigning(db, { ...cancel, id: 'sig_none' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('the end of a signing', () => {
  it('writes its event and a delivery for each endpoint that wants it', async () => {
    const announced = await addTenant(db);
    const { tenantId } = announced;
    const all = await addEndpoint(db, tenantId);
    const completedOnly = await addEndpoint(db, tenantId, ['signing.completed']);
    const disabled = await addEndpoint(db, tenantId);
    await db.prisma.webhookEndpoint.update({ where: { id: disabled }, data: { enabled: false } });
    const done = await addSigning(db, announced);
    await claimed(done.id);
    const completed = await completeSigning(db, { id: done.id, fencingToken: 1, result });
    const failed = await addSigning(db, announced);
    await claimed(failed.id);
    const fault = { errorCode: 'not_a_pdf', errorMessage: 'no header' };
    const failure = await failSigning(db, { id: failed.id, fencingToken: 1, ...fault });
    const deliveries = await db.prisma.webhookDelivery.findMany({ where: { tenantId } });
    const wanted = deliveries.map((it) => it.endpointId).sort();
    expect(wanted).toEqual([all, all, completedOnly].sort());
    const handed = [completed, failure].flatMap((it) =>
      'deliveryIds' in it ? it.deliveryIds : [],
    );
    expect([...handed].sort()).toEqual(deliveries.map((it) => it.id).sort());
    const events = await listEvents(db, { tenantId, limit: 10 });
    expect(events.map((it) => it.type)).toEqual([
      'key.enrolled',
      'signing.completed',
      'signing.failed',
    ]);
    expect(events[1]?.data).toMatchObject({
      id: done.id,
      state: 'completed',
      source: { bucket: 'in', key: 'a.pdf', versionId: 'v1' },
      destination: { key: 'a.signed.pdf', versionId: 'v2', size: 1234, sha256: result.sha256 },
      metadata: { order: 7 },
    });
    expect(events[2]?.data).toMatchObject({ error: { code: 'not_a_pdf', message: 'no header' } });
    const cursor = events[1]?.cursor ?? '';
    const rest = await listEvents(db, { tenantId, after: cursor, limit: 10 });
    expect(rest.map((it) => it.id)).toEqual([events[2]?.id]);
  });
});
