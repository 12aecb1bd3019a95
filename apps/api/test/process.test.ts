import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '@signfleet/db';
import { startPostgres, type LocalPostgres } from '@signfleet/local-stack';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';

let directory: string;
let postgres: LocalPostgres;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'api-process-'));
  postgres = await startPostgres({ directory: join(directory, 'pg'), fsync: false });
  await writeFile(join(directory, 'webhook-key'), 'ab'.repeat(32));
});
afterAll(async () => {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

const root = fileURLToPath(new URL('../../..', import.meta.url));

function start(script: string, env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', `apps/api/src/${script}`], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

const logLine = z.looseObject({ msg: z.string(), level: z.string(), time: z.string() });

/** Log lines of the process, up to and with the one that says `message`. */
async function linesUntil(
  child: ChildProcess,
  message: string,
): Promise<z.infer<typeof logLine>[]> {
  if (child.stdout === null) throw new Error('no output to read');
  const lines: z.infer<typeof logLine>[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    lines.push(logLine.parse(JSON.parse(text)));
    if (lines.at(-1)?.msg === message) return lines;
  }
  throw new Error(`the process never said ${message}: ${JSON.stringify(lines)}`);
}

const settings = () => ({
  DATABASE_URL: postgres.url,
  QUEUE_URL: postgres.url,
  S3_ENDPOINT: 'http://127.0.0.1:1',
  S3_ACCESS_KEY_ID: 'id',
  S3_SECRET_ACCESS_KEY: 'secret',
  WEBHOOK_SECRET_KEY_FILE: join(directory, 'webhook-key'),
  BOOTSTRAP_API_KEY_FILE: join(directory, 'owner-key'),
  PORT: '0',
});

test('migrates, bootstraps, listens, answers, and stops on SIGTERM', async () => {
  await writeFile(join(directory, 'database-url'), postgres.url);
  const migration = start('migrate.ts', { DATABASE_URL_FILE: join(directory, 'database-url') });
  expect(await once(migration, 'exit')).toEqual([0, null]);

  const child = start('main.ts', settings());
  const lines = await linesUntil(child, 'listening');
  const { port } = z.object({ port: z.int().positive() }).parse(lines.at(-1));
  const token = (await readFile(join(directory, 'owner-key'), 'utf8')).trim();
  expect((await stat(join(directory, 'owner-key'))).mode & 0o777).toBe(0o600);
  expect(JSON.stringify(lines)).not.toContain(token);
  const answer = await fetch(`http://127.0.0.1:${port}/v1/users`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect([answer.status, await answer.json()]).toEqual([200, { items: [], nextCursor: null }]);
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
});

test('SIGTERM lets a request in hand finish', async () => {
  const child = start('main.ts', settings());
  const { port } = z.object({ port: z.int() }).parse((await linesUntil(child, 'listening')).at(-1));
  const token = (await readFile(join(directory, 'owner-key'), 'utf8')).trim();
  const db = openDatabase({ url: postgres.url });
  const exit = once(child, 'exit');
  const lock = { name: 'lock_users', text: 'LOCK TABLE users', row: z.object({}) };
  const blocked = {
    name: 'blocked',
    text: 'SELECT count(*)::int AS count FROM pg_locks WHERE NOT granted',
    row: z.object({ count: z.int() }),
  };
  const { response } = await db.transaction(async (tx) => {
    await tx.query(lock, []);
    const response = fetch(`http://127.0.0.1:${port}/v1/users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"name":"Ada"}',
    });
    await expect.poll(async () => (await db.query(blocked, []))[0]?.count).toBe(1);
    child.kill('SIGTERM');
    // The lock is released by the end of this transaction, which must not wait for the answer.
    return { response };
  });
  const answer = await response;
  expect(answer.status).toBe(201);
  expect(await exit).toEqual([0, null]);
  await db.close();
});

test('a second start keeps the tenant and its key', async () => {
  const before = await readFile(join(directory, 'owner-key'), 'utf8');
  const child = start('main.ts', settings());
  await linesUntil(child, 'listening');
  expect(await readFile(join(directory, 'owner-key'), 'utf8')).toBe(before);
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
});

test('bad settings end it at once with exit code 2 and one line that names them', async () => {
  const child = start('main.ts', { DATABASE_URL: 'mysql://x', PORT: 'x' });
  const exit = once(child, 'exit');
  const [line] = await linesUntil(child, 'bad settings');
  expect(JSON.stringify(line)).toMatch(/DATABASE_URL.*PORT/);
  expect(await exit).toEqual([2, null]);
});

test('a database that is not there ends it with exit code 1', async () => {
  const url = 'postgres://nobody@127.0.0.1:1/nothing';
  const child = start('main.ts', { ...settings(), DATABASE_URL: url, QUEUE_URL: url });
  const exit = once(child, 'exit');
  const lines = await linesUntil(child, 'the API could not start');
  expect(lines.at(-1)?.level).toBe('fatal');
  expect(await exit).toEqual([1, null]);
});
