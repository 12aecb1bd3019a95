import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { record } from './support/answer.ts';
import { addUserWithKey } from './support/enrol.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const source = { bucket: 'docs', key: 'in/a.pdf' };

describe('webhook endpoints and events', () => {
  test('an endpoint is created with a secret, read without, changed, deleted', async () => {
    const body = { url: 'https://hooks.example.com/x', eventTypes: ['signing.completed'] };
    const created = await api.call('POST', '/v1/webhook-endpoints', { body });
    expect(created.status).toBe(201);
    expect(created.body['secret']).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const path = `/v1/webhook-endpoints/${created.id}`;
    const read = await api.call('GET', path);
    expect(read.body).toMatchObject({ ...body, enabled: true });
    expect(read.text).not.toContain('secret');
    const stored = await api.db.prisma.webhookEndpoint.findFirstOrThrow({
      where: { id: created.id },
      omit: { sealedSecret: false },
    });
    expect(Buffer.from(stored.sealedSecret).toString('latin1')).not.toContain('whsec_');
    const changed = await api.call('PATCH', path, { body: { enabled: false } });
    expect(changed.body['enabled']).toBe(false);
    const list = await api.call('GET', '/v1/webhook-endpoints');
    expect(list.items.map((item) => item['id'])).toContain(created.id);
    expect((await api.call('DELETE', path)).status).toBe(204);
    expect((await api.call('GET', path)).status).toBe(404);
  });

  test('events are read in order and go on from the cursor', async () => {
    const before = await api.call('GET', '/v1/events?limit=200');
    const { keyId } = await addUserWithKey(api);
    const accepted = await api.call('POST', '/v1/signings', { body: { keyId, source } });
    await api.call('DELETE', `/v1/signings/${accepted.id}`);
    const after = await api.call('GET', `/v1/events?cursor=${before.string('nextCursor')}`);
    expect(after.items.map((item) => item['type'])).toEqual(['key.enrolled', 'signing.canceled']);
    expect(after.items[1]).toMatchObject({ subject: accepted.id });
    const end = await api.call('GET', `/v1/events?cursor=${after.string('nextCursor')}`);
    expect(end.body).toEqual({ items: [], nextCursor: after.string('nextCursor') });
  });
});

describe('access', () => {
  test('an API key is shown once, works, is listed without its secret, revoked', async () => {
    const body = { name: 'reader', scopes: ['users:read'], expiresAt: '2099-01-01T00:00:00Z' };
    const created = await api.call('POST', '/v1/api-keys', { body });
    expect(created.status).toBe(201);
    const token = created.string('token');
    expect((await api.call('GET', '/v1/users', { token })).status).toBe(200);
    const list = await api.call('GET', '/v1/api-keys');
    expect(list.items[0]).toMatchObject({ id: created.id, name: 'reader' });
    expect(list.text).not.toContain(token.split('_')[2] ?? token);
    const path = `/v1/api-keys/${created.id}`;
    expect((await api.call('DELETE', path)).status).toBe(204);
    expect((await api.call('DELETE', path)).status).toBe(204);
    expect((await api.call('GET', '/v1/users', { token })).status).toBe(401);
  });

  test('an API key cannot revoke itself, nor expire in the past', async () => {
    const list = await api.call('GET', '/v1/api-keys');
    const owner = list.items.find((item) => item['name'] === 'owner');
    const own = await api.call('DELETE', `/v1/api-keys/${String(owner?.['id'])}`);
    expect([own.status, own.code]).toEqual([409, 'own_key']);
    const body = { name: 'late', scopes: ['users:read'], expiresAt: '2001-01-01T00:00:00Z' };
    const past = await api.call('POST', '/v1/api-keys', { body });
    expect(past.errors).toMatchObject([{ pointer: '/expiresAt' }]);
  });

  test('a grant is given once, listed, withdrawn', async () => {
    const { userId } = await addUserWithKey(api);
    const apiKey = await api.call('POST', '/v1/api-keys', {
      body: { name: 'pipeline', scopes: ['signings:write'] },
    });
    const body = { apiKeyId: apiKey.id, userId };
    const given = await api.call('POST', '/v1/grants', { body });
    expect(given.status).toBe(201);
    expect(given.body).toMatchObject({ ...body, keyId: null, allKeys: false });
    expect((await api.call('POST', '/v1/grants', { body })).id).toBe(given.id);
    const list = await api.call('GET', `/v1/grants?apiKeyId=${apiKey.id}`);
    expect(list.items).toEqual([given.body]);
    const path = `/v1/grants/${given.id}`;
    expect((await api.call('DELETE', path)).status).toBe(204);
    expect((await api.call('DELETE', path)).status).toBe(404);
  });

  test('the audit log is sealed when read and hangs together', async () => {
    const first = await api.call('GET', '/v1/audit?limit=5');
    expect(first.items).toHaveLength(5);
    const second = await api.call(
      'GET',
      `/v1/audit?limit=1000&cursor=${first.string('nextCursor')}`,
    );
    const entries = [...first.items, ...second.items];
    expect(entries.map((entry) => entry['position'])).toEqual(entries.map((_, i) => i + 1));
    const hashes = entries.map((entry) => entry['hash']);
    expect(entries.slice(1).map((entry) => entry['prevHash'])).toEqual(hashes.slice(0, -1));
    expect(first.body['head']).toMatchObject({ hash: hashes.at(-1) });
    const actions = new Set(entries.map((entry) => entry['action']));
    for (const action of ['tenant.create', 'api_key.create', 'user.create', 'key.create']) {
      expect(actions).toContain(action);
    }
  });
});

describe('operations', () => {
  test('health, readiness, metrics and the OpenAPI document need no key', async () => {
    const open = { token: null };
    expect((await api.call('GET', '/healthz', open)).body).toEqual({ status: 'ok' });
    const ready = await api.call('GET', '/readyz', open);
    expect(ready.status).toBe(200);
    expect(Object.keys(record(ready.body['dependencies'])).sort()).toEqual([
      'database',
      'queue',
      'storage',
    ]);
    const metrics = await api.call('GET', '/metrics', open);
    expect(metrics.text).toMatch(
      /signfleet_http_request_duration_seconds_count\{.*route="\/v1\/users"/,
    );
    expect(metrics.text).toMatch(/signfleet_signings\{state="canceled"\} \d+/);
    expect(metrics.text).toMatch(
      /signfleet_queue_jobs\{kind="sign-document",state="waiting"\} \d+/,
    );
    expect(metrics.text).not.toContain('sig_');
    const document = await api.call('GET', '/openapi.json', open);
    expect(document.body).toMatchObject({
      openapi: '3.1.0',
      paths: { '/v1/signings/{id}': { get: {}, delete: {} } },
      components: { schemas: { Problem: {}, Signing: {}, AcceptedBatch: {} } },
    });
  });
});
