import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startRedis, type LocalRedis } from '../src/index.ts';

let directory: string;
const started: LocalRedis[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signfleet-redis-'));
});

afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: { port?: number; appendonly?: boolean } = {}): Promise<LocalRedis> {
  const redis = await startRedis({ directory, ...options });
  started.push(redis);
  return redis;
}

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined); // the command's own rejection tells
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

test('keeps what it was told with appendonly, on the same URL', async () => {
  const first = await start({ appendonly: true });
  await withClient(first.url, (client) => client.set('a', 'kept'));
  await first.stop();
  const second = await start({ appendonly: true, port: first.port });
  expect(second.url).toBe(first.url);
  expect(await withClient(second.url, (client) => client.get('a'))).toBe('kept');
});

test('forgets everything without appendonly, and evicts nothing', async () => {
  const first = await start();
  await withClient(first.url, (client) => client.set('a', 'lost'));
  await first.stop();
  const second = await start();
  const [value, policy] = await withClient(second.url, async (client) => [
    await client.get('a'),
    await client.config('GET', 'maxmemory-policy'),
  ]);
  expect(value).toBeNull();
  expect(policy).toEqual(['maxmemory-policy', 'noeviction']);
});

test('asks for the password', async () => {
  const { port } = await start();
  const answer = withClient(`redis://127.0.0.1:${port}`, (client) => client.get('a'));
  await expect(answer).rejects.toThrow(/NOAUTH/);
});
