import { scopes, type Scope } from '@signfleet/db';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addUserWithKey } from './support/enrol.ts';
import { addCaller, startTestApi, type CallOptions, type TestApi } from './support/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const source = { bucket: 'docs', key: 'a.pdf' };
const unknown = {
  user: `usr_${'0'.repeat(32)}`,
  key: `key_${'0'.repeat(32)}`,
  apiKey: `api_${'0'.repeat(32)}`,
};

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Every route with the scope it needs, and a body of good form. */
const routes: [method: Method, path: string, scope: Scope, body?: unknown][] = [
  ['POST', '/v1/users', 'users:write', { name: 'X' }],
  ['GET', '/v1/users', 'users:read'],
  ['GET', `/v1/users/${unknown.user}`, 'users:read'],
  ['POST', '/v1/keys', 'keys:write', { userId: unknown.user, algorithm: 'P-256' }],
  ['GET', '/v1/keys', 'keys:read'],
  ['GET', `/v1/keys/${unknown.key}`, 'keys:read'],
  ['GET', `/v1/keys/${unknown.key}/csr`, 'keys:read'],
  ['POST', '/v1/certificates', 'keys:write', { keyId: unknown.key, pem: 'x' }],
  ['GET', '/v1/certificates/crt_00000000', 'keys:read'],
  ['POST', '/v1/uploads', 'signings:write', {}],
  ['POST', '/v1/signings', 'signings:write', { keyId: unknown.key, source }],
  ['GET', '/v1/signings', 'signings:read'],
  ['GET', '/v1/signings/sig_00000000', 'signings:read'],
  ['DELETE', '/v1/signings/sig_00000000', 'signings:write'],
  ['GET', '/v1/signings/sig_00000000/download', 'signings:read'],
  ['POST', '/v1/batches', 'signings:write', { items: [{ keyId: unknown.key, source }] }],
  ['GET', '/v1/batches/bat_00000000', 'signings:read'],
  ['GET', '/v1/events', 'webhooks:read'],
  ['POST', '/v1/webhook-endpoints', 'webhooks:write', { url: 'https://a.example/' }],
  ['GET', '/v1/webhook-endpoints', 'webhooks:read'],
  ['GET', '/v1/webhook-endpoints/whe_00000000', 'webhooks:read'],
  ['PATCH', '/v1/webhook-endpoints/whe_00000000', 'webhooks:write', { enabled: true }],
  ['DELETE', '/v1/webhook-endpoints/whe_00000000', 'webhooks:write'],
  ['POST', '/v1/api-keys', 'admin', { name: 'x', scopes: ['users:read'] }],
  ['GET', '/v1/api-keys', 'admin'],
  ['DELETE', `/v1/api-keys/${unknown.apiKey}`, 'admin'],
  ['POST', '/v1/grants', 'admin', { apiKeyId: unknown.apiKey, allKeys: true }],
  ['GET', '/v1/grants', 'admin'],
  ['DELETE', '/v1/grants/grt_00000000', 'admin'],
  ['GET', '/v1/audit', 'audit:read'],
];

test('the table names every route of the API', async () => {
  const document = await api.call('GET', '/openapi.json');
  const documented = Object.entries(document.body['paths'] as Record<string, object>)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  const listed = routes.map(
    ([method, path]) => `${method} ${path.replace(/\/[a-z]{3}_0+/, '/{id}')}`,
  );
  expect(listed.sort()).toEqual(documented.sort());
});

describe.each(routes.map(([method, path, scope, body]) => ({ method, path, scope, body })))(
  '$method $path',
  ({ method, path, scope, body }) => {
    const call = (options: CallOptions) => api.call(method, path, { ...options, body });

    test('refuses strangers before it looks at anything', async () => {
      const answer = await call({ token: null });
      expect([answer.status, answer.code]).toEqual([401, 'unauthenticated']);
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="signfleet"');
    });

    test(`needs the scope ${scope}`, async () => {
      const others = scopes.filter((other) => other !== scope && other !== 'admin');
      const { token } = await addCaller(api.db, { tenantId: api.tenantId, scopes: others });
      const answer = await call({ token });
      expect([answer.status, answer.code]).toEqual([403, 'scope_missing']);
      const holder = await addCaller(api.db, { tenantId: api.tenantId, scopes: [scope] });
      const { status } = await call({ token: holder.token });
      expect([200, 201, 202, 204, 404]).toContain(status);
    });
  },
);

describe('a bad API key is a 401, whatever is wrong with it', () => {
  const malformed = [
    '',
    'x',
    'sf_',
    'Bearer',
    'sf_0123456789_short',
    'sf_\u00e9',
    `sf_${'a'.repeat(400)}`,
  ];
  test.each(malformed)('%j', async (token) => {
    const answer = await api.call('GET', '/v1/users', { token });
    expect([answer.status, answer.code]).toEqual([401, 'unauthenticated']);
  });

  test('unknown, wrong secret, expired, revoked: the same answer but for its requestId', async () => {
    const base = { tenantId: api.tenantId, scopes: ['users:read' as const] };
    const good = await addCaller(api.db, base);
    const expired = await addCaller(api.db, { ...base, expiresAt: new Date(Date.now() - 1_000) });
    const revoked = await addCaller(api.db, base);
    await api.call('DELETE', `/v1/api-keys/${revoked.apiKeyId}`);
    const wrong = `${good.token.slice(0, -4)}${good.token.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    const tokens = [`sf_0000000000_${'A'.repeat(43)}`, wrong, expired.token, revoked.token];
    const answers = await Promise.all(
      tokens.map((token) => api.call('GET', '/v1/users', { token })),
    );
    const bodies = answers.map(({ body }) => ({ ...body, requestId: '' }));
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(answers[0]?.headers['www-authenticate']).toContain('error="invalid_token"');
    expect((await api.call('GET', '/v1/users', { token: good.token })).status).toBe(200);
  });

  test('an unknown path answers a stranger like a known one', async () => {
    expect((await api.call('GET', '/v1/nothing', { token: null })).status).toBe(401);
    const answer = await api.call('GET', '/v1/nothing');
    expect([answer.status, answer.code]).toEqual([404, 'not_found']);
  });
});

describe('what a caller may not see does not exist', () => {
  test('a key without a grant, of another tenant, or invented: one and the same 404', async () => {
    const { keyId } = await addUserWithKey(api);
    const other = await addCaller(api.db, { scopes: ['admin'], grant: {} });
    const foreign = await addUserWithKey(api, other.token);
    const ungranted = await addCaller(api.db, {
      tenantId: api.tenantId,
      scopes: ['signings:write'],
    });
    const ask = (token: string, body: object) =>
      api.call('POST', '/v1/signings', { token, body: { ...body, source } });
    const answers = await Promise.all([
      ask(ungranted.token, { keyId }),
      ask(api.token, { keyId: foreign.keyId }),
      ask(other.token, { keyId }),
      ask(api.token, { keyId: unknown.key }),
      ask(api.token, { userId: foreign.userId }),
      ask(api.token, { userId: unknown.user }),
    ]);
    const bodies = answers.map(({ body }) => JSON.stringify({ ...body, requestId: '' }));
    expect(new Set(bodies).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(404));
  });

  test('even an administrator signs only with granted keys', async () => {
    const { keyId } = await addUserWithKey(api);
    const { token } = await addCaller(api.db, { tenantId: api.tenantId, scopes: ['admin'] });
    const answer = await api.call('POST', '/v1/signings', { token, body: { keyId, source } });
    expect(answer.status).toBe(404);
  });

  test('a grant on a user or a key opens just that, and closes when withdrawn', async () => {
    const [ada, bob] = [await addUserWithKey(api), await addUserWithKey(api)];
    const scope = { tenantId: api.tenantId, scopes: ['signings:write', 'signings:read'] as const };
    const byUser = await addCaller(api.db, { ...scope, grant: { userId: ada.userId } });
    const byKey = await addCaller(api.db, { ...scope, grant: { keyId: bob.keyId } });
    const status = async (token: string, keyId: string) =>
      (await api.call('POST', '/v1/signings', { token, body: { keyId, source } })).status;
    expect(await status(byUser.token, ada.keyId)).toBe(202);
    expect(await status(byUser.token, bob.keyId)).toBe(404);
    expect(await status(byKey.token, bob.keyId)).toBe(202);
    expect(await status(byKey.token, ada.keyId)).toBe(404);
    const grants = await api.call('GET', `/v1/grants?apiKeyId=${byKey.apiKeyId}`);
    await api.call('DELETE', `/v1/grants/${String(grants.items[0]?.['id'])}`);
    expect(await status(byKey.token, bob.keyId)).toBe(404);
  });

  test('signings and batches: only one’s own and those of granted keys', async () => {
    const [ada, bob] = [await addUserWithKey(api), await addUserWithKey(api)];
    const submit = async (keyId: string) =>
      (await api.call('POST', '/v1/signings', { body: { keyId, source } })).id;
    const [ofAda, ofBob] = [await submit(ada.keyId), await submit(bob.keyId)];
    const items = [{ keyId: bob.keyId, source }];
    const batch = await api.call('POST', '/v1/batches', { body: { items } });
    const { token } = await addCaller(api.db, {
      tenantId: api.tenantId,
      scopes: ['signings:read', 'signings:write'],
      grant: { userId: ada.userId },
    });
    const status = async (method: 'GET' | 'DELETE', path: string) =>
      (await api.call(method, path, { token })).status;
    expect(await status('GET', `/v1/signings/${ofAda}`)).toBe(200);
    expect(await status('GET', `/v1/signings/${ofBob}`)).toBe(404);
    expect(await status('GET', `/v1/signings/${ofBob}/download`)).toBe(404);
    expect(await status('DELETE', `/v1/signings/${ofBob}`)).toBe(404);
    expect(await status('GET', `/v1/batches/${batch.id}`)).toBe(404);
    const list = await api.call('GET', '/v1/signings?limit=200', { token });
    expect(list.items.map((item) => item['id'])).toEqual([ofAda]);
    expect((await api.call('GET', `/v1/signings/${ofBob}`)).body['state']).toBe('queued');
  });

  test('nothing of one tenant is reachable from another', async () => {
    const { userId, keyId } = await addUserWithKey(api);
    const signing = await api.call('POST', '/v1/signings', { body: { keyId, source } });
    const items = [{ keyId, source }];
    const batch = await api.call('POST', '/v1/batches', { body: { items } });
    const endpoint = await api.call('POST', '/v1/webhook-endpoints', {
      body: { url: 'https://a.example/' },
    });
    const key = await api.call('GET', `/v1/keys/${keyId}`);
    const callers = await api.call('GET', '/v1/api-keys');
    const { token } = await addCaller(api.db, { scopes: ['admin'], grant: {} });
    const paths: [Method, string][] = [
      ['GET', `/v1/users/${userId}`],
      ['GET', `/v1/keys/${keyId}`],
      ['GET', `/v1/keys/${keyId}/csr`],
      ['GET', `/v1/certificates/${key.string('certificateId')}`],
      ['GET', `/v1/signings/${signing.id}`],
      ['DELETE', `/v1/signings/${signing.id}`],
      ['GET', `/v1/signings/${signing.id}/download`],
      ['GET', `/v1/batches/${batch.id}`],
      ['GET', `/v1/webhook-endpoints/${endpoint.id}`],
      ['DELETE', `/v1/webhook-endpoints/${endpoint.id}`],
      ['DELETE', `/v1/api-keys/${String(callers.items[0]?.['id'])}`],
    ];
    for (const [method, path] of paths) {
      expect([path, (await api.call(method, path, { token })).status]).toEqual([path, 404]);
    }
    for (const list of ['users', 'keys', 'signings', 'webhook-endpoints', 'events']) {
      expect([list, (await api.call('GET', `/v1/${list}`, { token })).items]).toEqual([list, []]);
    }
    const audit = await api.call('GET', '/v1/audit', { token });
    expect(audit.text).not.toContain(api.tenantId);
    const grant = { apiKeyId: String(callers.items[0]?.['id']), userId };
    expect((await api.call('POST', '/v1/grants', { token, body: grant })).status).toBe(404);
    const order = { userId, algorithm: 'P-256' };
    expect((await api.call('POST', '/v1/keys', { token, body: order })).status).toBe(404);
  });
});

test('no token, secret or presigned URL was logged', async () => {
  await api.call('POST', '/v1/uploads', { body: {} });
  const log = api.logLines.join('');
  expect(log).toContain('"route":"/v1/uploads"');
  expect(log).not.toMatch(/sf_[0-9a-f]{10}_|whsec_|X-Amz-/);
});
