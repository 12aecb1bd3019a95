import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { LocalStackError } from './error.ts';

/** An unprivileged account of the system. */
export interface ServiceAccount {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account to run a server as that refuses to be root: `postgres` if the system has it, else
 * `nobody`. `undefined` when this process is not root and needs no other account.
 */
export async function serviceAccount(): Promise<ServiceAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find(([login]) => login === name) ?? [];
    if (Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new LocalStackError(
    'platform_unsupported',
    'PostgreSQL refuses to run as root, and the system has no account "postgres" or "nobody" to run it as',
  );
}

/** Whether `account` can run the program at `path`, all folders above it included. */
export function canRun(account: ServiceAccount, path: string): boolean {
  return spawnSync(path, ['--version'], { ...account, cwd: '/', stdio: 'ignore' }).status === 0;
}
