import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What Poppler's `pdfsig`, a validator that is not ours, says of a file. */
export type PdfsigVerdict = 'valid' | 'invalid' | 'not installed';

/**
 * `valid` when every signature's cryptography holds and the last one covers the whole file. Trust in
 * the issuing CA is left out: the demo's CA is known to nobody.
 */
export async function pdfsigVerdict(path: string): Promise<PdfsigVerdict> {
  try {
    const { stdout } = await run('pdfsig', ['-nocert', path], { timeout: 60_000 });
    return judge(stdout) ? 'valid' : 'invalid';
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 'not installed';
    return 'invalid';
  }
}

function judge(output: string): boolean {
  const verdicts = [...output.matchAll(/Signature Validation: (.*)/g)].map((match) => match[1]);
  return (
    verdicts.length > 0 &&
    verdicts.every((verdict) => verdict?.trim() === 'Signature is Valid.') &&
    output.includes('Total document signed')
  );
}
