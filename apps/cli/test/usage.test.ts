import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

let cwd: string;

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'signfleet-usage-'));
});

afterAll(() => rm(cwd, { recursive: true }));

test('an unknown command is a usage error with the next step', async () => {
  const run = await runCli(['frobnicate'], { cwd });
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toContain('--help');
});

test('a wrong option of a subcommand is a usage error too', async () => {
  expect((await runCli(['keys', 'create', 'bob', '--algorithm', 'DSA'], { cwd })).code).toBe(2);
});

test('without an API it says how to get one', async () => {
  const run = await runCli(['users', 'list'], { cwd });
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toContain('npm run demo');
});

test('an API that does not answer has an exit code of its own', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const env = { SIGNFLEET_URL: `http://127.0.0.1:${port}`, SIGNFLEET_API_KEY: 'sf_secret_key' };
  const run = await runCli(['users', 'list'], { cwd, env });
  expect(run).toMatchObject({ code: 3, stdout: '' });
  expect(run.stderr).not.toContain('sf_secret_key');
});
