import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startService, type ServiceProcess } from '@signfleet/local-stack';
import { z } from 'zod';

export interface ProcessOptions {
  readonly name: 'api' | 'signer' | 'provisioner';
  /** TypeScript entry point, absolute. */
  readonly entry: string;
  /** Holds the process's log and run record. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A signfleet process of the local stack, up and listening. */
export interface SignfleetProcess extends ServiceProcess {
  /** Port of the API, or of a worker's health server. */
  readonly port: number;
}

const listeningSchema = z.looseObject({ msg: z.literal('listening'), port: z.number() });

/**
 * Starts the API or a worker and waits for its `listening` log line. Its environment is exactly
 * `env` and what finding programs needs, so nothing of the caller's leaks in.
 *
 * @throws LocalStackError
 */
export async function startSignfleetProcess(options: ProcessOptions): Promise<SignfleetProcess> {
  const { name, directory, entry } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let port: number | undefined;
  const service = await startService({
    name,
    directory,
    command: process.execPath,
    args: ['--import', import.meta.resolve('tsx'), entry],
    environment: { ...inherited(), ...options.env },
    stopSignals: ['SIGTERM'],
    startTimeoutMs: 60_000,
    ready: async () => {
      port = listeningPort(await readFile(join(directory, `${name}.log`), 'utf8'));
      return port !== undefined;
    },
  });
  return { ...service, port: port ?? 0 };
}

function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL'];
  const entries = names.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => !!entry[1]));
}

function listeningPort(log: string): number | undefined {
  const line = log.split('\n').find((text) => text.includes('"msg":"listening"'));
  if (line === undefined || !line.endsWith('}')) return undefined;
  return listeningSchema.parse(JSON.parse(line)).port;
}
