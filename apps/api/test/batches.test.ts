import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobKinds, openQueues } from '@signfleet/jobs';
import { record } from './support/answer.ts';
import { addUserWithKey } from './support/enrol.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let api: TestApi;
let keyId: string;
let userId: string;
beforeAll(async () => {
  api = await startTestApi();
  ({ keyId, userId } = await addUserWithKey(api));
});
afterAll(() => api.stop());

const source = { bucket: 'docs', key: 'a.pdf' };

describe('a batch', () => {
  test('accepts the good items and says what is wrong with each bad one', async () => {
    const waiting = await api.call('POST', '/v1/keys', { body: { userId, algorithm: 'P-256' } });
    const items = [
      { keyId, source },
      { keyId, source: { bucket: 'docs' } },
      { userId, source },
      { keyId: `key_${'0'.repeat(32)}`, source },
      { keyId, source, destination: source },
      { keyId: waiting.id, source },
      7,
      { keyId, source, extra: true },
    ];
    const answer = await api.call('POST', '/v1/batches', {
      body: { items, metadata: { run: '1' } },
    });
    expect(answer.status).toBe(202);
    expect(answer.headers['location']).toBe(`/v1/batches/${answer.id}`);
    expect(answer.body).toMatchObject({ total: 2, rejected: 6 });
    const results = answer.items;
    expect(results.map((result) => result['index'])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const index of [0, 2]) expect(String(results[index]?.['signingId'])).toMatch(/^sig_/);
    expect(
      results.map((result) => (result['problem'] as { code?: string } | undefined)?.code),
    ).toEqual([
      undefined,
      'invalid_request',
      undefined,
      'not_found',
      'destination_is_source',
      'key_not_active',
      'invalid_request',
      'invalid_request',
    ]);
    expect(String(record(results[1]?.['problem'])['detail'])).toContain('/source/key');
    const counters = await api.call('GET', `/v1/batches/${answer.id}`);
    expect(counters.body).toMatchObject({
      total: 2,
      remaining: 2,
      completed: 0,
      failed: 0,
      canceled: 0,
      rejected: 6,
      metadata: { run: '1' },
      completedAt: null,
    });
    const signings = await api.call('GET', `/v1/signings?batchId=${answer.id}`);
    expect(signings.items.map((item) => item['batchIndex']).sort()).toEqual([0, 2]);
  });

  test('of nothing but bad items is accepted and complete', async () => {
    const answer = await api.call('POST', '/v1/batches', { body: { items: [{}] } });
    expect(answer.body).toMatchObject({ total: 0, rejected: 1 });
    const counters = await api.call('GET', `/v1/batches/${answer.id}`);
    expect(counters.body['completedAt']).not.toBeNull();
  });

  test('is complete when its last signing is', async () => {
    const answer = await api.call('POST', '/v1/batches', { body: { items: [{ keyId, source }] } });
    await api.call('DELETE', `/v1/signings/${String(answer.items[0]?.['signingId'])}`);
    const counters = await api.call('GET', `/v1/batches/${answer.id}`);
    expect(counters.body).toMatchObject({ remaining: 0, canceled: 1 });
    expect(counters.string('completedAt')).toMatch(/^\d{4}-/);
  });

  test('needs one item and takes no more than 10,000', async () => {
    const none = await api.call('POST', '/v1/batches', { body: { items: [] } });
    expect(none.errors).toMatchObject([{ pointer: '/items', code: 'too_small' }]);
    const items = Array.from({ length: 10_001 }, () => ({}));
    const many = await api.call('POST', '/v1/batches', { body: { items } });
    expect(many.errors).toMatchObject([{ pointer: '/items', code: 'too_big' }]);
  });

  test('of 10,000 is accepted in one call, enqueued once, repeated as one', async () => {
    const items = Array.from({ length: 10_000 }, (_, index) => ({
      ...(index % 2 === 0 ? { keyId } : { userId }),
      source: { bucket: 'docs', key: `in/${index}.pdf` },
      metadata: { index: String(index) },
    }));
    const queues = await openQueues({ url: api.databaseUrl });
    const waiting = async () => (await queues.counts(jobKinds[0])).waiting;
    const before = await waiting();
    const headers = { 'idempotency-key': 'ten-thousand' };
    const answer = await api.call('POST', '/v1/batches', { body: { items }, headers });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ total: 10_000, rejected: 0 });
    expect(new Set(answer.items.map((item) => item['signingId'])).size).toBe(10_000);
    await expect.poll(waiting, { timeout: 30_000 }).toBe(before + 10_000);
    const again = await api.call('POST', '/v1/batches', { body: { items }, headers });
    expect(again.text === answer.text).toBe(true);
    expect(await api.db.prisma.signing.count({ where: { batchId: answer.id } })).toBe(10_000);
    expect(await waiting()).toBe(before + 10_000);
    await queues.close();
  });
});

describe('lists', () => {
  test('pages of signings join to the whole list, newest first, also while it grows', async () => {
    const { keyId: own, userId: ownUser } = await addUserWithKey(api);
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      ids.push((await api.call('POST', '/v1/signings', { body: { keyId: own, source } })).id);
    }
    const seen: unknown[] = [];
    let cursor: unknown = undefined;
    do {
      const query = typeof cursor === 'string' ? `&cursor=${cursor}` : '';
      const page = await api.call('GET', `/v1/signings?userId=${ownUser}&limit=3${query}`);
      seen.push(...page.items.map((item) => item['id']));
      cursor = page.body['nextCursor'];
      await api.call('POST', '/v1/signings', { body: { keyId: own, source } });
    } while (cursor !== null);
    expect(seen).toEqual(ids.reverse());
  });

  test('filters: state, key, batch, time', async () => {
    const { keyId: own } = await addUserWithKey(api);
    const first = await api.call('POST', '/v1/signings', { body: { keyId: own, source } });
    const second = await api.call('POST', '/v1/signings', { body: { keyId: own, source } });
    await api.call('DELETE', `/v1/signings/${first.id}`);
    const find = async (query: string) =>
      (await api.call('GET', `/v1/signings?keyId=${own}&${query}`)).items.map((item) => item['id']);
    expect(await find('state=canceled')).toEqual([first.id]);
    expect(await find('state=queued')).toEqual([second.id]);
    expect(await find('batchId=bat_00000000')).toEqual([]);
    expect(await find('createdAfter=2020-01-01T00:00:00Z')).toEqual([second.id, first.id]);
    expect(await find('createdBefore=2020-01-01T00:00:00Z')).toEqual([]);
    expect(await find('createdAfter=2999-01-01T00:00:00%2B02:00')).toEqual([]);
  });

  test.each(['users', 'keys', 'api-keys', 'grants', 'webhook-endpoints'])(
    '%s come in pages',
    async (name) => {
      await addUserWithKey(api);
      await api.call('POST', '/v1/webhook-endpoints', { body: { url: 'https://a.example/' } });
      await api.call('POST', '/v1/webhook-endpoints', { body: { url: 'https://b.example/' } });
      for (const label of ['one', 'two']) {
        const body = { name: label, scopes: ['users:read'] };
        const made = await api.call('POST', '/v1/api-keys', { body });
        await api.call('POST', '/v1/grants', { body: { apiKeyId: made.id, allKeys: true } });
      }
      const whole = await api.call('GET', `/v1/${name}?limit=200`);
      const [first, second] = [whole.items[0], whole.items[1]];
      const page = await api.call('GET', `/v1/${name}?limit=1`);
      expect(page.items).toEqual([first]);
      const next = await api.call('GET', `/v1/${name}?limit=1&cursor=${page.string('nextCursor')}`);
      expect(next.items).toEqual([second]);
    },
  );
});
