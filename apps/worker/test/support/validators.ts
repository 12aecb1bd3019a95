import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What two validators that share no code with us say about the last signature of a PDF. */
export interface IndependentVerdict {
  /** Text of `pdfsig`. */
  readonly pdfsig: string;
  /** Text of `openssl cms -verify`. */
  readonly openssl: string;
}

/** Runs `pdfsig` and `openssl cms -verify` with `caFile` as the only root. @throws if either refuses. */
export async function validate(pdf: Uint8Array, caFile: string): Promise<IndependentVerdict> {
  const directory = await mkdtemp(join(tmpdir(), 'signfleet-validate-'));
  try {
    const at = (name: string): string => join(directory, name);
    const { content, cms } = takeApart(Buffer.from(pdf));
    await writeFile(at('signed.pdf'), pdf);
    await writeFile(at('content.bin'), content);
    await writeFile(at('cms.der'), cms);
    const pdfsig = await run('pdfsig', ['-nocert', at('signed.pdf')]);
    const openssl = await run('openssl', [
      ...['cms', '-verify', '-binary', '-inform', 'DER', '-in', at('cms.der')],
      ...['-content', at('content.bin'), '-CAfile', caFile, '-purpose', 'any', '-out', '/dev/null'],
    ]);
    return { pdfsig: pdfsig.stdout, openssl: openssl.stderr + openssl.stdout };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The signed bytes and the CMS of the last signature, by its ByteRange, zero padding removed. */
function takeApart(pdf: Buffer): { readonly content: Buffer; readonly cms: Buffer } {
  const ranges = [
    ...pdf.toString('latin1').matchAll(/\/ByteRange\s*\[\s*(\d+) (\d+) (\d+) (\d+)/g),
  ];
  const [, start, length, start2, length2] = (ranges.at(-1) ?? []).map(Number);
  if (
    start === undefined ||
    length === undefined ||
    start2 === undefined ||
    length2 === undefined
  ) {
    throw new Error('the file has no ByteRange');
  }
  const hex = pdf.subarray(start + length + 1, start2 - 1).toString('latin1');
  const padded = Buffer.from(hex, 'hex');
  const lengthBytes = padded.readUInt8(1) & 0x7f; // the CMS is longer than 127 bytes
  const cmsLength = 2 + lengthBytes + padded.readUIntBE(2, lengthBytes);
  return {
    content: Buffer.concat([
      pdf.subarray(start, start + length),
      pdf.subarray(start2, start2 + length2),
    ]),
    cms: padded.subarray(0, cmsLength),
  };
}
