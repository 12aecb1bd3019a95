import type { Readable } from 'node:stream';
import { StorageError } from './error.ts';

/**
 * Reads a body of `size` bytes into one piece of memory that is allocated once.
 *
 * @throws StorageError `unavailable` if the body has another length or breaks off.
 */
export function readBounded(body: Readable, size: number, signal?: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.allocUnsafeSlow(size); // not out of the shared pool: it may live long
    let filled = 0;
    const fail = (error: unknown): void => {
      body.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const broken = (cause?: unknown): void =>
      fail(new StorageError('unavailable', 'get: the content broke off', { cause }));
    const abort = (): void => fail(signal?.reason);
    if (signal?.aborted === true) {
      abort();
      return;
    }
    signal?.addEventListener('abort', abort, { once: true });
    body.on('data', (chunk: Buffer) => {
      if (filled + chunk.length > size) broken();
      else filled += chunk.copy(bytes, filled);
    });
    body.once('error', broken);
    body.once('end', () => {
      if (filled === size) resolve(bytes);
      else broken();
    });
    body.once('close', () => {
      signal?.removeEventListener('abort', abort);
      broken(); // without effect after 'end'
    });
  });
}
