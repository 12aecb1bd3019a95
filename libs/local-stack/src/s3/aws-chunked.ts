import { S3Fault } from './fault.ts';

const crlf = Buffer.from('\r\n');
const maxLine = 4096;

/**
 * Decodes `Content-Encoding: aws-chunked` (hex size lines, CRLF after each chunk, trailers at the
 * end). Trailers are put into `trailers`, names in lower case.
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let state: 'size' | 'data' | 'end-of-data' | 'trailer' | 'done' = 'size';
  let missing = 0;
  const takeLine = (): string | undefined => {
    const end = rest.indexOf(crlf);
    if (end > maxLine || (end < 0 && rest.length > maxLine)) throw broken('a line is too long');
    if (end < 0) return undefined;
    const line = rest.toString('latin1', 0, end);
    rest = rest.subarray(end + 2);
    return line;
  };
  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length > 0) {
      if (state === 'done') throw broken('data after its end');
      if (state === 'data') {
        const part = rest.subarray(0, missing);
        rest = rest.subarray(part.length);
        missing -= part.length;
        if (missing === 0) state = 'end-of-data';
        yield part;
        continue;
      }
      const line = takeLine();
      if (line === undefined) break;
      if (state === 'size') {
        missing = chunkSize(line);
        state = missing === 0 ? 'trailer' : 'data';
      } else if (state === 'end-of-data') {
        if (line !== '') throw broken('no line end after a chunk');
        state = 'size';
      } else if (line === '') state = 'done';
      else addTrailer(trailers, line);
    }
  }
  if (state !== 'done') throw broken('it ends early');
}

function chunkSize(line: string): number {
  const [, digits] = /^([0-9a-f]{1,8})(?:;.*)?$/i.exec(line) ?? [];
  if (digits === undefined) throw broken('not a chunk size');
  return Number.parseInt(digits, 16);
}

function addTrailer(trailers: Map<string, string>, line: string): void {
  const colon = line.indexOf(':');
  if (colon < 1) throw broken('not a trailer');
  trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
}

const broken = (what: string): S3Fault =>
  new S3Fault('IncompleteBody', `The aws-chunked body is broken: ${what}.`);
