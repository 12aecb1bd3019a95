import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './job-log.ts';

/** A redis-server, a Cluster node or a Sentinel, whatever its configuration says. */
export interface RedisProcess {
  readonly port: number;
  /** Runs `redis-cli` with these arguments. */
  command(...words: string[]): Promise<string>;
  kill(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const run = promisify(execFile);

async function redisCli(port: number, words: readonly string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-p', String(port), ...words]);
  return stdout;
}

/** Starts one with lines of configuration, `bind`, `port` and `dir` aside. */
export async function startRedisProcess(
  configuration: readonly string[],
  ...flags: string[]
): Promise<RedisProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'signfleet-jobs-redis-'));
  const port = await freePort();
  const file = join(directory, 'redis.conf');
  const lines = ['bind 127.0.0.1', `port ${port}`, `dir ${directory}`, ...configuration, ''];
  await writeFile(file, lines.join('\n'));
  const child = spawn('redis-server', [file, ...flags], { stdio: 'ignore' });
  // A test that times out while it starts has nothing to close yet.
  process.once('exit', () => child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exit;
  };
  // A server with a password answers as well, though not with PONG.
  await until(() =>
    redisCli(port, ['PING']).then(
      (reply) => /PONG|NOAUTH/.test(reply),
      () => false,
    ),
  );
  return {
    port,
    command: (...words) => redisCli(port, words),
    kill: () => end('SIGKILL'),
    remove: async () => {
      if (child.exitCode === null && child.signalCode === null) await end('SIGTERM');
      await rm(directory, { recursive: true });
    },
  };
}
