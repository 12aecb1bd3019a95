import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalStackError } from './error.ts';
import { endProcess, removeRunRecord, stopLeftover, writeRunRecord } from './run-record.ts';

/** How to start one service and how to know that it serves. */
export interface ServiceOptions {
  readonly name: string;
  /** Holds the service's log, its run record and its data. Must exist. */
  readonly directory: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
  readonly environment?: NodeJS.ProcessEnv;
  /** File descriptors of this process that the service gets as 3, 4, … */
  readonly descriptors?: readonly number[];
  /** Written to the standard input of the service, which is then closed. */
  readonly input?: string;
  /** Tried in this order when stopping; `SIGKILL` comes last of itself. */
  readonly stopSignals: NodeJS.Signals[];
  readonly ready: (pid: number) => Promise<boolean>;
  readonly startTimeoutMs?: number;
}

/** A running service. */
export interface ServiceProcess {
  readonly pid: number;
  /** Stops the service and waits for its end. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a service and waits until it serves. The service runs in a session of its own, so that
 * Ctrl-C reaches only the owner, which then stops things in order; if the owner dies instead,
 * a watchdog stops the service.
 *
 * @throws LocalStackError `port_in_use`, `start_failed`, `start_timeout` or `directory_in_use`.
 */
export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  await stopLeftover(options.directory, options.stopSignals);
  const logPath = join(options.directory, `${options.name}.log`);
  const log = await open(logPath, 'w');
  const child = await spawned(options, log.fd).finally(() => log.close());
  const pid = child.pid ?? 0;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const watchdog = watchOwner(pid, options.stopSignals[0] ?? 'SIGTERM');
  void ended.then(() => watchdog.kill('SIGKILL'));
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      if (child.exitCode === null && child.signalCode === null)
        await endProcess(pid, options.stopSignals);
      await ended;
      await removeRunRecord(options.directory);
    })());
  try {
    await writeRunRecord(options.directory, pid);
    await untilReady(options, child, logPath);
    return { pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function spawned(options: ServiceOptions, log: number): Promise<ChildProcess> {
  const stdio: StdioOptions = [
    options.input === undefined ? 'ignore' : 'pipe',
    log,
    log,
    ...(options.descriptors ?? []),
  ];
  const child = spawn(options.command, options.args, {
    ...options.account,
    cwd: options.account === undefined ? options.directory : '/',
    env: options.environment ?? process.env,
    detached: true,
    stdio,
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      const message = `${options.name}: ${options.command} could not be run: ${cause.message}`;
      reject(new LocalStackError('start_failed', message, { cause }));
    });
  });
  child.stdin?.end(options.input);
  return child;
}

/** Reads from a pipe that only this process can write: it ends when this process does, however that happens. */
function watchOwner(pid: number, signal: NodeJS.Signals): ChildProcess {
  const script = 'read -r _; kill -s "$1" "$2"';
  const watchdog = spawn('/bin/sh', ['-c', script, 'sh', signal.slice(3), String(pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  (watchdog.stdin as unknown as { unref(): void } | null)?.unref();
  return watchdog;
}

async function untilReady(
  options: ServiceOptions,
  child: ChildProcess,
  logPath: string,
): Promise<void> {
  const deadline = Date.now() + (options.startTimeoutMs ?? 60_000);
  while (!(await options.ready(child.pid ?? 0))) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (!ended && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      continue;
    }
    const tail = (await readFile(logPath, 'utf8')).trimEnd().split('\n').slice(-8).join('\n');
    if (!ended) {
      throw new LocalStackError('start_timeout', `${options.name} does not get ready:\n${tail}`);
    }
    const code = /address already in use/i.test(tail) ? 'port_in_use' : 'start_failed';
    throw new LocalStackError(code, `${options.name} ended while starting:\n${tail}`);
  }
}
