import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { findExecutable } from './find-executable.ts';
import { onFreePort } from './free-port.ts';
import { secretFile } from './secret-file.ts';
import { startService } from './service-process.ts';

/** What a local Redis is started with. */
export interface RedisOptions {
  /** Private to this server; created if missing. Its append-only file is reused. */
  readonly directory: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Persist every write (`appendonly yes`, `appendfsync everysec`). Default: keep nothing. */
  readonly appendonly?: boolean;
}

/** A running local Redis. */
export interface LocalRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts the system's `redis-server` on the loopback interface, with a password of its own.
 *
 * @throws LocalStackError
 */
export async function startRedis(options: RedisOptions): Promise<LocalRedis> {
  const directory = resolve(options.directory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const command = await findExecutable('redis-server');
  const password = await secretFile(join(directory, 'password'));
  return onFreePort(options.port, async (port) => {
    const service = await startService({
      name: 'redis',
      directory,
      command,
      args: ['-'],
      input: [
        'bind 127.0.0.1',
        `port ${port}`,
        `requirepass ${password}`,
        `dir ${JSON.stringify(directory)}`,
        'save ""',
        `appendonly ${options.appendonly === true ? 'yes' : 'no'}`,
        'maxmemory-policy noeviction',
        '',
      ].join('\n'),
      stopSignals: ['SIGTERM'],
      ready: () => answersPing(port, password),
    });
    return { url: `redis://:${password}@127.0.0.1:${port}`, port, ...service };
  });
}

function answersPing(port: number, password: string): Promise<boolean> {
  return new Promise((resolvePing) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    let answer = '';
    const finish = (ready: boolean): void => {
      socket.destroy();
      resolvePing(ready);
    };
    socket.setTimeout(1000, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.includes('PONG')) finish(true);
      else if (answer.includes('\n-')) finish(false);
    });
  });
}
