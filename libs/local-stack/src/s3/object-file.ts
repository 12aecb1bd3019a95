import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writevSync } from 'node:fs';
import type { Payload } from './payload.ts';

/** What is known of one version of an object. */
export interface ObjectFacts {
  readonly key: string;
  /** `null` for a version written while versioning was off. */
  readonly versionId: string | null;
  readonly deleteMarker: boolean;
  /** Content in bytes. */
  readonly size: number;
  /** With its quotes. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** Answered as they were given: content-type, x-amz-meta-*, cache-control, … */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum?: { readonly name: string; readonly value: string } | undefined;
}

const magic = Buffer.from('signfleet object');

/**
 * Object files are the content, the facts as JSON, the length of that JSON (4 bytes) and a magic
 * text. A file without that end was cut short by a crash, and does not count.
 */
function footer(facts: ObjectFacts): Buffer {
  const json = Buffer.from(JSON.stringify(facts));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([json, length, magic]);
}

/** Writes an object file in one synchronous step (small), or completes a temporary file (large). */
export function writeObjectFile(
  path: string,
  content: Payload['content'],
  facts: ObjectFacts,
): void {
  const written = 'path' in content ? content.path : path;
  const file = openSync(written, 'path' in content ? 'a' : 'wx');
  try {
    const chunks = 'path' in content ? [] : content.chunks;
    writeAll(file, [...chunks, footer(facts)]);
  } catch (error) {
    rmSync(written, { force: true }); // disk full: do not keep the half that fitted
    throw error;
  } finally {
    closeSync(file);
  }
  if (written !== path) renameSync(written, path);
}

function writeAll(file: number, chunks: Buffer[]): void {
  let rest = chunks;
  while (rest.length > 0) {
    let written = writevSync(file, rest.slice(0, 512));
    while (rest[0] !== undefined && written >= rest[0].length) {
      written -= rest[0].length;
      rest = rest.slice(1);
    }
    if (rest[0] !== undefined && written > 0) rest = [rest[0].subarray(written), ...rest.slice(1)];
  }
}

/** The facts of an object file; `undefined` if it is not a whole one. */
export function readObjectFacts(path: string): ObjectFacts | undefined {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(4 + magic.length);
    if (size < tail.length) return undefined;
    readSync(file, tail, 0, tail.length, size - tail.length);
    const length = tail.readUInt32BE(0);
    const start = size - tail.length - length;
    if (!tail.subarray(4).equals(magic) || start < 0) return undefined;
    const json = Buffer.alloc(length);
    readSync(file, json, 0, length, start);
    const facts = JSON.parse(json.toString()) as ObjectFacts;
    return facts.size === start ? facts : undefined;
  } finally {
    closeSync(file);
  }
}

/** Reads `length` bytes of the content from `start`. */
export function readContent(path: string, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  const file = openSync(path, 'r');
  try {
    let read = 0;
    while (read < length) {
      const count = readSync(file, bytes, read, length - read, start + read);
      if (count === 0) throw new Error(`object file ${path} is shorter than its facts tell`);
      read += count;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}
