import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPostgres } from '../src/index.ts';
import { processIdentity, waitForProcessEnd } from '../src/process-identity.ts';

let directory: string;
const started: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  // mkdtemp's mode is 0700: as root, this is also the case of a folder that the server cannot enter.
  directory = await mkdtemp(join(tmpdir(), 'signfleet-postgres-'));
});

afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: { port?: number } = {}) {
  const postgres = await startPostgres({ directory, fsync: false, ...options });
  started.push(postgres);
  return postgres;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

test('keeps its data across a stop and a start on the same port', async () => {
  const first = await start();
  await query(first.url, "create table note as select 'kept: ä€' as text");
  await first.stop();
  await first.stop();
  expect(await processIdentity(first.pid)).toBeUndefined();
  const second = await start({ port: first.port });
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'select text from note')).toEqual([{ text: 'kept: ä€' }]);
});

test('asks for the password', async () => {
  const postgres = await start();
  const url = postgres.url.replace(/:[^:@]+@/, ':wrong@');
  await expect(query(url, 'select 1')).rejects.toMatchObject({ code: '28P01' });
});

test('recovers after a crash that left the lock of a process id now used by another process', async () => {
  const first = await start();
  await query(first.url, 'create table note as select 1 as n');
  process.kill(first.pid, 'SIGKILL');
  await waitForProcessEnd(first.pid, 10_000);
  await first.stop();
  const lockFile = join(directory, 'data', 'postmaster.pid');
  const lock = await readFile(lockFile, 'utf8').catch(() => '0\n');
  await writeFile(lockFile, lock.replace(/^\d+/, String(process.pid)));
  const second = await start();
  expect(await query(second.url, 'select n from note')).toEqual([{ n: 1 }]);
});

test('refuses a directory that a living owner serves, and a port that is taken', async () => {
  const first = await start();
  await expect(start()).rejects.toMatchObject({ code: 'directory_in_use' });
  const other = await mkdtemp(join(tmpdir(), 'signfleet-postgres-'));
  try {
    const taken = startPostgres({ directory: other, port: first.port, fsync: false });
    await expect(taken).rejects.toMatchObject({ code: 'port_in_use' });
  } finally {
    await rm(other, { recursive: true, force: true });
  }
});

test('ends with an owner killed by SIGKILL, and its directory can be served again', async () => {
  const script = `
    import { startPostgres } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
    const { url, pid } = await startPostgres({ directory: ${JSON.stringify(directory)}, fsync: false });
    console.log(JSON.stringify({ url, pid }));
  `;
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  const served = JSON.parse(line.toString()) as { url: string; pid: number };
  await query(served.url, 'create table note as select 7 as n');
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  expect(await waitForProcessEnd(served.pid, 20_000)).toBe(true);
  const again = await start();
  expect(await query(again.url, 'select n from note')).toEqual([{ n: 7 }]);
});
