import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What `openssl cms -verify`, a validator that is not ours, says of the CMS in a signature. */
export type OpensslVerdict = 'valid' | 'invalid' | 'not installed';

export interface CmsToVerify {
  readonly document: Uint8Array;
  /** The four integers of /ByteRange: two (offset, length) pairs. */
  readonly byteRange: readonly number[];
  /** PEM file with the root that the chain must end in. */
  readonly caFile: string;
}

/** Hands the detached CMS and the bytes that it covers to OpenSSL, with the CA as the only trust anchor. */
export async function opensslVerdict(signature: CmsToVerify): Promise<OpensslVerdict> {
  const [start = 0, length = 0, start2 = 0, length2 = 0] = signature.byteRange;
  const { document } = signature;
  const gap = Buffer.from(document.subarray(start + length, start2)).toString('latin1');
  const folder = await mkdtemp(join(tmpdir(), 'signfleet-cms-'));
  const cms = join(folder, 'signature.der');
  const content = join(folder, 'content.bin');
  try {
    await writeFile(cms, Buffer.from(gap.slice(1, -1), 'hex'));
    await writeFile(
      content,
      Buffer.concat([
        document.subarray(start, start + length),
        document.subarray(start2, start2 + length2),
      ]),
    );
    return await verify(cms, content, signature.caFile);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function verify(cms: string, content: string, caFile: string): Promise<OpensslVerdict> {
  const input = ['-inform', 'DER', '-in', cms, '-content', content, '-binary'];
  try {
    await run('openssl', ['cms', '-verify', ...input, '-CAfile', caFile, '-out', '/dev/null']);
    return 'valid';
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'not installed' : 'invalid';
  }
}
