import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Runs the openssl command line, an implementation that shares no encoder with ours, with `files`
 * in its working directory. Returns its exit status and all that it printed.
 */
export function openssl(
  args: readonly string[],
  files: Readonly<Record<string, Uint8Array | string>>,
): { status: number | null; output: string } {
  const directory = mkdtempSync(join(tmpdir(), 'signfleet-openssl-'));
  try {
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(directory, name), content);
    const run = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
    if (run.error !== undefined) throw run.error;
    return { status: run.status, output: run.stdout + run.stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
