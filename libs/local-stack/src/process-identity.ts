import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A text that stays the same for the life of one process and differs for a later process that got
 * the same process id: its start time. `undefined` if no such process lives (zombies do not).
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') {
    try {
      const { stdout } = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
      const [state, ...started] = stdout.trim().split(/\s+/);
      return state?.startsWith('Z') === true ? undefined : started.join(' ') || undefined;
    } catch {
      return undefined; // ps exits with 1 if there is no such process
    }
  }
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // proc(5): the command is in parentheses and may contain spaces; field 3 follows it, field 22 is the start time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** The working directory of a process, `undefined` where the system does not tell. */
export async function processDirectory(pid: number): Promise<string | undefined> {
  try {
    return await readlink(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** Resolves `true` when the process has ended, `false` when it still lives after `milliseconds`. */
export async function waitForProcessEnd(pid: number, milliseconds: number): Promise<boolean> {
  const identity = await processIdentity(pid);
  const deadline = Date.now() + milliseconds;
  while (identity !== undefined && (await processIdentity(pid)) === identity) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
