import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalStackError } from './error.ts';
import { processIdentity, waitForProcessEnd } from './process-identity.ts';

interface RunRecord {
  readonly pid: number;
  readonly identity: string;
  readonly ownerPid: number;
  readonly ownerIdentity: string;
}

const recordPath = (directory: string): string => join(directory, 'run.json');

/** Notes which process serves `directory` and which process started it. */
export async function writeRunRecord(directory: string, pid: number): Promise<void> {
  const [identity, ownerIdentity] = await Promise.all([
    processIdentity(pid),
    processIdentity(process.pid),
  ]);
  if (identity === undefined || ownerIdentity === undefined) return; // ended already: nothing to find later
  const record: RunRecord = { pid, identity, ownerPid: process.pid, ownerIdentity };
  await writeFile(recordPath(directory), JSON.stringify(record));
}

export async function removeRunRecord(directory: string): Promise<void> {
  await rm(recordPath(directory), { force: true });
}

function parseRunRecord(text: string): RunRecord | undefined {
  try {
    const value = JSON.parse(text) as Partial<RunRecord> | null;
    const { pid, identity, ownerPid, ownerIdentity } = value ?? {};
    if (typeof pid !== 'number' || typeof ownerPid !== 'number') return undefined;
    if (typeof identity !== 'string' || typeof ownerIdentity !== 'string') return undefined;
    return { pid, identity, ownerPid, ownerIdentity };
  } catch {
    return undefined; // cut short by a crash while it was written
  }
}

/**
 * Stops what an owner that died without stopping its service has left behind in `directory`.
 *
 * @throws LocalStackError `directory_in_use` if the owner still lives.
 */
export async function stopLeftover(directory: string, signals: NodeJS.Signals[]): Promise<void> {
  let text: string;
  try {
    text = await readFile(recordPath(directory), 'utf8');
  } catch {
    return;
  }
  const record = parseRunRecord(text);
  if (record !== undefined && (await processIdentity(record.pid)) === record.identity) {
    if ((await processIdentity(record.ownerPid)) === record.ownerIdentity) {
      throw new LocalStackError(
        'directory_in_use',
        `${directory} is served by process ${record.pid}, started by the living process ${record.ownerPid}`,
        { details: { pid: record.pid, ownerPid: record.ownerPid } },
      );
    }
    await endProcess(record.pid, signals);
  }
  await removeRunRecord(directory);
}

/** Sends one signal after the other, `SIGKILL` last, until the process has ended. */
export async function endProcess(pid: number, signals: NodeJS.Signals[]): Promise<void> {
  for (const signal of [...signals, 'SIGKILL' as const]) {
    try {
      process.kill(pid, signal);
    } catch {
      return; // ESRCH: it ended in the meantime
    }
    if (await waitForProcessEnd(pid, 10_000)) return;
  }
}
