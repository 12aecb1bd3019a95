import { spawnSync } from 'node:child_process';
import type { SealedDocument } from '../src/seal.ts';
import { inTemporaryDirectory, writeInto } from './signing-fixture.ts';

/** What `pdfsig` (poppler) says of each signature; empty fields are left out. */
export interface PdfsigVerdict {
  readonly valid: boolean;
  readonly wholeFile: boolean;
}

export function pdfsig(bytes: Uint8Array): readonly PdfsigVerdict[] {
  return inTemporaryDirectory((directory) => {
    const output = run('pdfsig', ['-nocert', writeInto(directory, 'signed.pdf', bytes)]);
    return output.text
      .split(/^Signature #\d+:$/m)
      .slice(1)
      .filter((part) => !part.includes('signature form field is not signed'))
      .map((part) => ({
        valid: part.includes('Signature Validation: Signature is Valid.'),
        wholeFile: part.includes('Total document signed'),
      }));
  });
}

/** Exit status of `qpdf --check`: 0 sound, 3 with warnings, 2 with errors. */
export function qpdfCheck(bytes: Uint8Array): number {
  return inTemporaryDirectory(
    (directory) => run('qpdf', ['--check', writeInto(directory, 'file.pdf', bytes)]).status,
  );
}

/** MD5 sums of the pages' pixels as `mutool draw` renders them. */
export function renderedPages(bytes: Uint8Array): readonly string[] {
  return inTemporaryDirectory((directory) => {
    const path = writeInto(directory, 'file.pdf', bytes);
    const { text } = run('mutool', ['draw', '-q', '-s', '5', '-r', '50', path]);
    return [...text.matchAll(/[0-9a-f]{32}/g)].map(([sum]) => sum);
  });
}

/** Whether `mutool sign -v` finds each digest right. */
export function mutoolVerifies(bytes: Uint8Array): boolean {
  return inTemporaryDirectory((directory) => {
    const { text } = run('mutool', ['sign', '-v', writeInto(directory, 'signed.pdf', bytes)]);
    return text.includes('The document is unchanged since signing.');
  });
}

/** Whether `openssl cms -verify` accepts the CMS over the signed bytes, up to the given root. */
export function opensslVerifies(sealed: SealedDocument, rootPem: string): boolean {
  const [, firstEnd, secondStart] = sealed.digested.prepared.byteRange;
  const bytes = Buffer.from(sealed.bytes());
  const contents = Buffer.from(bytes.toString('latin1', firstEnd + 1, secondStart - 1), 'hex');
  const signed = Buffer.concat([bytes.subarray(0, firstEnd), bytes.subarray(secondStart)]);
  return inTemporaryDirectory((directory) => {
    const cms = writeInto(directory, 'signature.der', contents);
    const content = writeInto(directory, 'content.bin', signed);
    const root = writeInto(directory, 'root.pem', rootPem);
    const files = ['-in', cms, '-content', content, '-CAfile', root, '-out', '/dev/null'];
    const options = ['cms', '-verify', '-binary', '-cades', '-inform', 'DER', '-purpose', 'any'];
    return run('openssl', [...options, ...files]).status === 0;
  });
}

function run(command: string, options: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync(command, options, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status: status ?? -1, text: `${stdout}\n${stderr}` };
}
