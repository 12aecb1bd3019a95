import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ConsumerProcess {
  /** Resolves once the process has printed this line. */
  printed(line: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
  kill(): Promise<void>;
}

/** Starts `consumer-process.ts`. */
export function spawnConsumer(url: string, prefix: string): ConsumerProcess {
  const script = fileURLToPath(new URL('consumer-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, url, prefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const seen = new Set<string>();
  const waiting = new Map<string, () => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    seen.add(line);
    waiting.get(line)?.();
  });
  return {
    printed: (line) =>
      seen.has(line)
        ? Promise.resolve()
        : Promise.race([
            new Promise<void>((resolve) => waiting.set(line, resolve)),
            exit.then(() => {
              throw new Error(`the consumer process ended before it printed "${line}"`);
            }),
          ]),
    signal: (name) => child.kill(name),
    kill: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}
