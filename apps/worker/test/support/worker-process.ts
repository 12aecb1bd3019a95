import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

const main = new URL('../../src/main.ts', import.meta.url).pathname;

/** A line of the worker's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A worker as it runs in production: a process of its own. */
export interface WorkerProcess {
  readonly pid: number;
  readonly log: readonly LogLine[];
  /** What Node itself writes; empty in a healthy run but for warnings. */
  readonly stderr: () => string;
  /** Resolves with the first line of that message, past or to come. @throws if the process ends first. */
  logged(message: string): Promise<LogLine>;
  /** Sends the signal and resolves with the exit code; null if the signal itself ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

/** Starts `apps/worker/src/main.ts`; it is up once `logged('taking jobs')` resolves. */
export function startWorkerProcess(environment: Readonly<Record<string, string>>): WorkerProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_NO_WARNINGS: '1',
      LOG_LEVEL: 'info',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const { log, logged } = readLog(child, exited);
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  return {
    pid: child.pid ?? 0,
    log,
    stderr: () => complaints,
    logged: (message) =>
      logged(message).catch((cause: unknown) => {
        throw new Error(`the worker ended before "${message}": ${complaints}`, { cause });
      }),
    end: (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return exited;
    },
  };
}

function readLog(child: ChildProcess, exited: Promise<number | null>) {
  const log: LogLine[] = [];
  const waiting = new Set<() => void>();
  if (child.stdout === null) throw new Error('the worker has no output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    log.push(JSON.parse(line) as LogLine);
    for (const look of waiting) look();
  });
  const logged = (message: string): Promise<LogLine> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = log.find(({ msg }) => msg === message);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      void exited.then((code) => reject(new Error(`exit code ${String(code)}`)));
    });
  return { log, logged };
}
