import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openQueues } from '@signfleet/jobs';
import { startPostgres, startRedis, startS3, type LocalRedis } from '@signfleet/local-stack';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { addUserWithKey } from './support/enrol.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let directory: string;
let redis: LocalRedis;
let api: TestApi;
let keyId: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'api-redis-'));
  redis = await startRedis({ directory });
  api = await startTestApi({ QUEUE_URL: redis.url, REQUEST_TIMEOUT_SECONDS: '8' });
  ({ keyId } = await addUserWithKey(api));
});
afterAll(async () => {
  await api.stop();
  await redis.stop();
  await rm(directory, { recursive: true, force: true });
});

const source = { bucket: 'docs', key: 'a.pdf' };
const submit = () => api.call('POST', '/v1/signings', { body: { keyId, source } });

/** The dependencies that /readyz calls down, and its status. */
async function down(): Promise<[number, string[]]> {
  const ready = await api.call('GET', '/readyz', { token: null });
  const checks = z.record(z.string(), z.object({ status: z.string() }));
  const dependencies = Object.entries(checks.parse(ready.body['dependencies']));
  const failing = dependencies.filter(([, { status }]) => status !== 'ok').map(([name]) => name);
  return [ready.status, failing];
}

const recovered = () => expect.poll(down, { timeout: 30_000 }).toEqual([200, []]);

test('without the queue a submission is accepted and left to the reconciler', async () => {
  await redis.stop();
  const accepted = await submit();
  expect(accepted.status).toBe(202);
  expect((await api.call('GET', `/v1/signings/${accepted.id}`)).body['state']).toBe('queued');
  const line = api.logLines.find((text) => text.includes('jobs left to the reconciler'));
  expect(line).toContain(accepted.id);
  expect(await down()).toEqual([503, ['queue']]);
  redis = await startRedis({ directory, port: redis.port });
  await recovered();
  const queues = await openQueues({ url: redis.url });
  const waiting = async () => (await queues.counts('sign-document')).waiting;
  const before = await waiting();
  expect((await submit()).status).toBe(202);
  expect(await waiting()).toBe(before + 1);
  await queues.close();
});

test('without the object store submissions go on, and /readyz names it', async () => {
  const { port } = api.s3;
  await api.s3.stop();
  expect((await submit()).status).toBe(202);
  expect(await down()).toEqual([503, ['storage']]);
  const s3 = await startS3({ directory: join(directory, 's3'), port });
  await recovered();
  await s3.stop();
});

test('a database that does not answer in time is a 503 and not a hang', async () => {
  const lockUsers = { name: 'lock_users', text: 'LOCK TABLE users', row: z.object({}) };
  await api.db.transaction(async (tx) => {
    await tx.query(lockUsers, []);
    const answer = await api.call('POST', '/v1/users', { body: { name: 'Late' } });
    expect([answer.status, answer.code]).toEqual([503, 'timeout']);
    expect(answer.headers['retry-after']).toBe('2');
  });
});

test('without the database requests get 503 with Retry-After, and work again after it', async () => {
  const { port } = api.postgres;
  await api.postgres.stop();
  for (const answer of [await submit(), await api.call('GET', '/v1/users')]) {
    expect([answer.status, answer.code]).toEqual([503, 'database_unavailable']);
    expect(answer.headers['retry-after']).toBe('2');
    expect(answer.text).not.toMatch(/127\.0\.0\.1|ECONN/);
  }
  const [status, failing] = await down();
  expect([status, failing.includes('database')]).toEqual([503, true]);
  expect((await api.call('GET', '/healthz', { token: null })).status).toBe(200);
  expect((await api.call('GET', '/metrics', { token: null })).status).toBe(200);
  const again = await startPostgres({ directory: api.postgresDirectory, port, fsync: false });
  await expect.poll(async () => (await submit()).status, { timeout: 30_000 }).toBe(202);
  await again.stop();
});
