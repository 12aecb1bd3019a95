import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimSigning, completeSigning } from '@signfleet/db';
import { encodePem } from '@signfleet/pki';
import { addKey, addUserWithKey, enrol } from './support/enrol.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const source = { bucket: 'docs', key: 'in/a.pdf' };

describe('users', () => {
  test('are created, read, found by externalId', async () => {
    const body = {
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      organization: 'Example',
      country: 'GB',
      externalId: 'hr-1',
    };
    const created = await api.call('POST', '/v1/users', { body });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject(body);
    expect(created.headers['location']).toBe(`/v1/users/${created.id}`);
    const read = await api.call('GET', `/v1/users/${created.id}`);
    expect(read.body).toEqual(created.body);
    const found = await api.call('GET', '/v1/users?externalId=hr-1');
    expect(found.items).toEqual([created.body]);
  });

  test('an externalId is unique in the tenant', async () => {
    const body = { name: 'Bob', externalId: 'hr-2' };
    expect((await api.call('POST', '/v1/users', { body })).status).toBe(201);
    const again = await api.call('POST', '/v1/users', { body });
    expect([again.status, again.code]).toEqual([409, 'already_exists']);
  });
});

describe('keys and certificates', () => {
  test('an ordered key is pending, enqueued, and active once enrolled', async () => {
    const user = await api.call('POST', '/v1/users', { body: { name: 'Carol' } });
    const body = { userId: user.id, algorithm: 'P-256' };
    const key = await api.call('POST', '/v1/keys', { body });
    expect(key.status).toBe(202);
    expect(key.body).toMatchObject({
      state: 'pending',
      certificateMode: 'builtin',
      publicKey: null,
    });
    await enrol(api.db, key.id, 'builtin');
    const active = await api.call('GET', key.headers['location'] as string);
    expect(active.body).toMatchObject({ state: 'active', algorithm: 'P-256', csrAvailable: false });
    expect(active.body['publicKey']).toContain('BEGIN PUBLIC KEY');
    expect(active.text).not.toMatch(/wrapped|binding/i);
    const certificate = await api.call('GET', `/v1/certificates/${active.string('certificateId')}`);
    expect(certificate.body['keyId']).toBe(key.id);
    expect(certificate.string('pem').match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    const list = await api.call('GET', `/v1/keys?userId=${user.id}&state=active`);
    expect(list.items.map((item) => item['id'])).toEqual([key.id]);
    const csr = await api.call('GET', `/v1/keys/${key.id}/csr`);
    expect([csr.status, csr.code]).toEqual([409, 'csr_not_available']);
  });

  test('a key for an outside CA gives its request and takes the chain', async () => {
    const user = await api.call('POST', '/v1/users', { body: { name: 'Dan' } });
    const order = { userId: user.id, algorithm: 'P-256', certificateMode: 'csr' };
    const key = await api.call('POST', '/v1/keys', { body: order });
    const early = await api.call('POST', '/v1/certificates', { body: { keyId: key.id, pem: 'x' } });
    expect([early.status, early.code]).toEqual([409, 'key_not_awaiting_certificate']);
    const { pki, publicKey } = await enrol(api.db, key.id, 'csr');
    const csr = await api.call('GET', `/v1/keys/${key.id}/csr`);
    expect(csr.headers['content-type']).toContain('application/x-pem-file');
    expect(csr.text).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----/);

    const leaf = encodePem('CERTIFICATE', await pki.issue({ subjectPublicKey: publicKey }));
    const root = encodePem('CERTIFICATE', pki.caCertificate);
    const incomplete = await api.call('POST', '/v1/certificates', {
      body: { keyId: key.id, pem: leaf },
    });
    expect(incomplete.status).toBe(422);
    expect(incomplete.body).toMatchObject({
      code: 'certificate_rejected',
      errors: [{ pointer: '/pem', code: 'chain_incomplete', certificateIndex: 0 }],
    });
    const strange = await api.call('POST', '/v1/certificates', {
      body: { keyId: key.id, pem: root },
    });
    expect(strange.errors).toMatchObject([{ code: 'certificate_key_mismatch' }]);
    const expired = await pki.issue({
      subjectPublicKey: publicKey,
      validity: {
        notBefore: pki.validity.notBefore,
        notAfter: new Date(pki.validity.notBefore.getTime() + 3_600_000),
      },
    });
    const old = await api.call('POST', '/v1/certificates', {
      body: { keyId: key.id, pem: encodePem('CERTIFICATE', expired) + root },
    });
    expect(old.errors).toMatchObject([{ code: 'certificate_expired', certificateIndex: 0 }]);
    const privateKey = leaf.replaceAll('CERTIFICATE', 'PRIVATE KEY');
    const leaked = await api.call('POST', '/v1/certificates', {
      body: { keyId: key.id, pem: privateKey },
    });
    expect(leaked.errors).toMatchObject([{ code: 'malformed_pem' }]);

    const imported = await api.call('POST', '/v1/certificates', {
      body: { keyId: key.id, pem: leaf + root },
    });
    expect(imported.status).toBe(201);
    expect(imported.body['pem']).toBe(leaf + root);
    const active = await api.call('GET', `/v1/keys/${key.id}`);
    expect(active.body).toMatchObject({ state: 'active', certificateId: imported.id });
  });
});

describe('signings', () => {
  test('are accepted, enqueued, shown, completed, downloaded', async () => {
    const { keyId, userId } = await addUserWithKey(api);
    const metadata = { invoice: '4711' };
    const body = { keyId, source, reason: 'Approved', location: 'Oslo', metadata };
    const accepted = await api.call('POST', '/v1/signings', { body });
    expect(accepted.status).toBe(202);
    const id = accepted.id;
    expect(accepted.headers['location']).toBe(`/v1/signings/${id}`);
    expect(accepted.body).toMatchObject({
      state: 'queued',
      keyId,
      userId,
      destination: { bucket: 'docs', key: `signed/${id}.pdf` },
    });
    const early = await api.call('GET', `/v1/signings/${id}/download`);
    expect([early.status, early.code]).toEqual([409, 'signing_not_completed']);

    const claim = await claimSigning(api.db, { id, workerId: 'test', leaseSeconds: 60 });
    if ('refused' in claim) throw new Error(claim.refused);
    const certificate = await api.call('GET', `/v1/keys/${keyId}`);
    const result = {
      sha256: 'ab'.repeat(32),
      size: 1234,
      level: 'B-B',
      certificateId: certificate.string('certificateId'),
      stageMillis: { load: 3, sign: 1 },
    };
    await completeSigning(api.db, { id, fencingToken: claim.fencingToken, result });
    const done = await api.call('GET', `/v1/signings/${id}`);
    expect(done.body).toMatchObject({
      state: 'completed',
      attempts: 1,
      metadata,
      reason: 'Approved',
      result: { sha256: result.sha256, size: 1234, level: 'B-B' },
      stageMillis: result.stageMillis,
      error: null,
    });
    const late = await api.call('DELETE', `/v1/signings/${id}`);
    expect([late.status, late.code]).toEqual([409, 'signing_not_cancelable']);
    const download = await api.call('GET', `/v1/signings/${id}/download`);
    expect(download.status).toBe(200);
    const url = new URL(download.string('url'));
    expect(url.pathname).toBe(`/docs/signed/${id}.pdf`);
    expect(url.searchParams.get('X-Amz-Signature')).toMatch(/^[0-9a-f]{64}$/);
  });

  test('by user: the newest active key signs', async () => {
    const { userId } = await addUserWithKey(api);
    const newest = await addKey(api, userId);
    await api.call('POST', '/v1/keys', { body: { userId, algorithm: 'P-384' } });
    const accepted = await api.call('POST', '/v1/signings', { body: { userId, source } });
    expect(accepted.body['keyId']).toBe(newest);
  });

  test('a key that is not active is refused with its state', async () => {
    const { userId } = await addUserWithKey(api);
    const pending = await api.call('POST', '/v1/keys', { body: { userId, algorithm: 'P-256' } });
    const body = { keyId: pending.id, source };
    const refused = await api.call('POST', '/v1/signings', { body });
    expect([refused.status, refused.code]).toEqual([409, 'key_not_active']);
    expect(refused.body['detail']).toContain('pending');
  });

  test('what is queued can be canceled once', async () => {
    const { keyId } = await addUserWithKey(api);
    const accepted = await api.call('POST', '/v1/signings', { body: { keyId, source } });
    const path = `/v1/signings/${accepted.id}`;
    const canceled = await api.call('DELETE', path);
    expect([canceled.status, canceled.body['state']]).toEqual([200, 'canceled']);
    expect((await api.call('DELETE', path)).code).toBe('signing_not_cancelable');
  });

  test('the source is never the destination, unless its version is named', async () => {
    const { keyId } = await addUserWithKey(api);
    const body = { keyId, source, destination: source };
    const refused = await api.call('POST', '/v1/signings', { body });
    expect([refused.status, refused.code]).toEqual([422, 'destination_is_source']);
    const versioned = { ...body, source: { ...source, versionId: 'v1' } };
    expect((await api.call('POST', '/v1/signings', { body: versioned })).status).toBe(202);
  });

  test('an upload place is the tenant’s own and takes a PUT', async () => {
    const place = await api.call('POST', '/v1/uploads', { body: {} });
    expect(place.status).toBe(201);
    expect(place.body['key']).toMatch(new RegExp(`^uploads/${api.tenantId}/[0-9a-f-]{36}\\.pdf$`));
    const put = await fetch(place.string('url'), {
      method: place.string('method'),
      headers: { 'content-type': 'application/pdf' },
      body: '%PDF-1.7',
    });
    expect(put.status).toBe(200);
    const { keyId } = await addUserWithKey(api);
    const source = { bucket: place.string('bucket'), key: place.string('key') };
    const signing = await api.call('POST', '/v1/signings', { body: { keyId, source } });
    const result = `uploads/${api.tenantId}/signed/${signing.string('id')}.pdf`;
    expect(signing.body['destination']).toEqual({ bucket: 'signfleet', key: result });
    for (const key of ['uploads/ten_someone/x.pdf', 'signed/sig_someone.pdf', 'x.pdf']) {
      const foreign = { bucket: 'signfleet', key };
      for (const places of [{ source: foreign }, { source, destination: foreign }]) {
        const refused = await api.call('POST', '/v1/signings', { body: { keyId, ...places } });
        expect([refused.status, refused.code]).toEqual([422, 'object_not_allowed']);
      }
    }
  });
});
