import { createHash, type Hash } from 'node:crypto';
import { StorageError, type ObjectStore } from '@signfleet/storage';
import { WorkerError } from './error.ts';

/** Where the document to be signed is, and what the caller pinned it to. */
export interface SourceLocation {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
  /** Lower-case hex of the whole object's SHA-256. */
  readonly sha256?: string | undefined;
}

/** The document as it was found. */
export interface LoadedSource {
  readonly bytes: Uint8Array;
  /** SHA-256 that has read `bytes` and nothing else: a signed file only appends, so it can go on. */
  readonly hash: Hash;
}

/**
 * Reads the source into memory, at most `maxBytes`.
 *
 * @throws WorkerError `source_not_found`, `source_access_denied`, `source_too_large`, or
 *   `source_changed` when a pin no longer holds. A pinned version that is gone counts as changed.
 * @throws StorageError `unavailable`, which passes.
 */
export async function loadSource(
  store: Pick<ObjectStore, 'get'>,
  source: SourceLocation,
  maxBytes: number,
): Promise<LoadedSource> {
  const { bytes } = await fetchSource(store, source, maxBytes);
  const hash = createHash('sha256').update(bytes);
  if (source.sha256 !== undefined && hash.copy().digest('hex') !== source.sha256) {
    throw new WorkerError('source_changed', 'the source does not have the pinned SHA-256');
  }
  return { bytes, hash };
}

async function fetchSource(
  store: Pick<ObjectStore, 'get'>,
  source: SourceLocation,
  maxBytes: number,
): Promise<{ bytes: Uint8Array }> {
  try {
    return await store.get({
      bucket: source.bucket,
      key: source.key,
      maxBytes,
      ...(source.versionId === undefined ? {} : { versionId: source.versionId }),
    });
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause;
    switch (cause.code) {
      case 'not_found':
      case 'bucket_missing':
        throw source.versionId === undefined
          ? new WorkerError('source_not_found', 'no object at the source', { cause })
          : new WorkerError('source_changed', 'the pinned version is not there', { cause });
      case 'access_denied':
        throw new WorkerError('source_access_denied', 'the source may not be read', { cause });
      case 'too_large':
        throw new WorkerError('source_too_large', 'the source is too large', { cause });
      default:
        throw cause;
    }
  }
}
