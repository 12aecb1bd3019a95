import { createHash } from 'node:crypto';
import type { ByteRange } from '../prepare.ts';

/** A document as it lies in memory: parts in order, not necessarily joined. */
export interface SignedBytes {
  readonly chunks: readonly Uint8Array[];
  readonly size: number;
}

/** The digest over a byte range, without joining the parts. */
export function digestByteRange(
  { chunks }: SignedBytes,
  [, firstEnd, secondStart, secondLength]: ByteRange,
  digest: string,
): Uint8Array {
  const hash = createHash(digest);
  let position = 0;
  for (const chunk of chunks) {
    const update = (from: number, to: number): void => {
      const start = Math.max(0, from - position);
      const end = Math.min(chunk.length, to - position);
      if (start < end) hash.update(chunk.subarray(start, end));
    };
    update(0, firstEnd);
    update(secondStart, secondStart + secondLength);
    position += chunk.length;
  }
  return hash.digest();
}
