import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimSigning, revokeKey } from '@signfleet/db';
import { encodePem } from '@signfleet/pki';
import { addUserWithKey, enrol } from './support/enrol.ts';
import { addCaller, startTestApi, type TestApi } from './support/test-api.ts';

let api: TestApi;
let keyId: string;
let userId: string;
beforeAll(async () => {
  api = await startTestApi();
  ({ keyId, userId } = await addUserWithKey(api));
});
afterAll(() => api.stop());

const source = { bucket: 'docs', key: 'a.pdf' };

/** Each creating POST with two bodies that differ. */
const posts: readonly (readonly [string, () => Promise<[object, object]>])[] = [
  ['/v1/users', () => Promise.resolve([{ name: 'A' }, { name: 'B' }])],
  [
    '/v1/keys',
    () =>
      Promise.resolve([
        { userId, algorithm: 'P-256' },
        { userId, algorithm: 'P-384' },
      ]),
  ],
  [
    '/v1/signings',
    () =>
      Promise.resolve([
        { keyId, source },
        { keyId, source, reason: 'other' },
      ]),
  ],
  [
    '/v1/batches',
    () =>
      Promise.resolve([
        { items: [{ keyId, source }, { keyId, source, fieldName: 'a.b' }, { keyId: 'x' }] },
        { items: [{ keyId, source }] },
      ]),
  ],
  [
    '/v1/webhook-endpoints',
    () => Promise.resolve([{ url: 'https://a.example/' }, { url: 'https://b.example/' }]),
  ],
  [
    '/v1/api-keys',
    () =>
      Promise.resolve([
        { name: 'x', scopes: ['users:read'] },
        { name: 'x', scopes: ['users:write'] },
      ]),
  ],
  [
    '/v1/grants',
    async () => {
      const { apiKeyId } = await addCaller(api.db, { tenantId: api.tenantId, scopes: ['admin'] });
      return [
        { apiKeyId, userId },
        { apiKeyId, keyId },
      ];
    },
  ],
  [
    '/v1/certificates',
    async () => {
      const order = { userId, algorithm: 'P-256', certificateMode: 'csr' };
      const key = await api.call('POST', '/v1/keys', { body: order });
      const { pki, publicKey } = await enrol(api.db, key.id, 'csr');
      const chain = async () =>
        encodePem('CERTIFICATE', await pki.issue({ subjectPublicKey: publicKey })) +
        encodePem('CERTIFICATE', pki.caCertificate);
      return [
        { keyId: key.id, pem: await chain() },
        { keyId: key.id, pem: await chain() },
      ];
    },
  ],
];

describe.each(posts)('POST %s', (path, bodies) => {
  test('repeats its answer, also when asked at once; another body is a conflict', async () => {
    const [body, different] = await bodies();
    const headers = { 'idempotency-key': `key-of-${path}` };
    const post = (sent: object) => api.call('POST', path, { body: sent, headers });
    const atOnce = await Promise.all([post(body), post(body), post(body), post(body)]);
    const later = await post(body);
    for (const answer of atOnce) {
      expect([answer.status, answer.text]).toEqual([later.status, later.text]);
      expect(answer.headers['location']).toBe(later.headers['location']);
    }
    expect([201, 202]).toContain(later.status);
    const reordered = Object.fromEntries(Object.entries(body).reverse());
    expect((await post(reordered)).text).toBe(later.text);
    const conflict = await post(different);
    expect([conflict.status, conflict.code]).toEqual([409, 'idempotency_mismatch']);
  });
});

test('four requests at once made one signing', async () => {
  const before = await api.db.prisma.signing.count();
  const headers = { 'idempotency-key': 'at-once' };
  const body = { keyId, source, reason: 'at once' };
  await Promise.all([1, 2, 3, 4].map(() => api.call('POST', '/v1/signings', { body, headers })));
  expect((await api.db.prisma.signing.count()) - before).toBe(1);
});

test('a repeated secret is the secret that works', async () => {
  const headers = { 'idempotency-key': 'token-again' };
  const body = { name: 'again', scopes: ['users:read'] };
  await api.call('POST', '/v1/api-keys', { body, headers });
  const again = await api.call('POST', '/v1/api-keys', { body, headers });
  const token = again.string('token');
  expect((await api.call('GET', '/v1/users', { token })).status).toBe(200);
});

test('the answer stays the same after the work went on and the key was revoked', async () => {
  const fresh = await addUserWithKey(api);
  const headers = { 'idempotency-key': 'later' };
  const body = { userId: fresh.userId, source };
  const first = await api.call('POST', '/v1/signings', { body, headers });
  await claimSigning(api.db, { id: first.id, workerId: 'test', leaseSeconds: 60 });
  const { tenantId } = api;
  await revokeKey(api.db, { tenantId, actor: 'system', id: fresh.keyId, reason: 'lost' });
  const again = await api.call('POST', '/v1/signings', { body, headers });
  expect([again.status, again.text]).toEqual([202, first.text]);
});

test('two callers may use the same Idempotency-Key for different things', async () => {
  const other = await addCaller(api.db, {
    tenantId: api.tenantId,
    scopes: ['users:write'],
  });
  const headers = { 'idempotency-key': 'shared' };
  const mine = await api.call('POST', '/v1/users', { body: { name: 'A' }, headers });
  const theirs = await api.call('POST', '/v1/users', {
    body: { name: 'B' },
    headers,
    token: other.token,
  });
  expect([mine.status, theirs.status]).toEqual([201, 201]);
  expect(theirs.id).not.toBe(mine.id);
});

test('a failed request can be repeated once its fault is gone', async () => {
  const headers = { 'idempotency-key': 'second-try' };
  const waiting = await api.call('POST', '/v1/keys', { body: { userId, algorithm: 'P-256' } });
  const body = { keyId: waiting.id, source };
  expect((await api.call('POST', '/v1/signings', { body, headers })).status).toBe(409);
  await enrol(api.db, waiting.id, 'builtin');
  expect((await api.call('POST', '/v1/signings', { body, headers })).status).toBe(202);
});

test.each(['', 'x'.repeat(256), 'with space', 'ünï'])('key %j is refused', async (key) => {
  const headers = { 'idempotency-key': key };
  const answer = await api.call('POST', '/v1/users', { body: { name: 'A' }, headers });
  expect([answer.status, answer.code]).toEqual([400, 'invalid_request']);
  expect(answer.errors).toMatchObject([{ in: 'header', pointer: '/idempotency-key' }]);
});
