import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

/** Up to here, pieces are joined: that costs less than a stream does (bytes). */
const joinLimit = 1024 * 1024;

/** A body as the SDK takes it. */
export interface RequestBody {
  readonly body: Buffer | Readable;
  readonly size: number;
  /** Lower-case hex; for a stream, which the SDK would leave unsigned. */
  readonly sha256: string | undefined;
}

/** Small contents become one buffer; of large ones no copy is made. */
export function requestBody(
  content: Uint8Array | readonly Uint8Array[],
  knownSha256: string | undefined,
): RequestBody {
  if (content instanceof Uint8Array) {
    const body = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    return { body, size: body.length, sha256: knownSha256 };
  }
  const size = content.reduce((total, piece) => total + piece.byteLength, 0);
  if (size <= joinLimit) return { body: Buffer.concat(content), size, sha256: knownSha256 };
  return {
    body: Readable.from(content, { objectMode: false }),
    size,
    sha256: knownSha256 ?? hashOf(content),
  };
}

function hashOf(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
