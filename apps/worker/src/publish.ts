import { createHash } from 'node:crypto';
import { StorageError, type ObjectStore, type StorageErrorCode } from '@signfleet/storage';
import { WorkerError } from './error.ts';

/** User metadata on every object we write: whose result it is, and the hash of its bytes. */
const SIGNING_ID = 'signfleet-signing-id';
const SHA256 = 'signfleet-sha256';

export interface Destination {
  readonly bucket: string;
  readonly key: string;
}

/** A signed document in the object store. */
export interface PublishedObject {
  readonly sha256: string;
  readonly size: number;
  readonly etag?: string | undefined;
  readonly versionId?: string | undefined;
}

/**
 * Writes the signed document where nothing is yet (`If-None-Match: *`).
 *
 * @returns undefined if an object is there already: another's, or ours from an earlier attempt.
 * @throws WorkerError `destination_not_found`, `destination_access_denied`.
 * @throws StorageError `unavailable`, which passes; the object may have been written all the same.
 */
export async function publish(
  store: Pick<ObjectStore, 'put'>,
  destination: Destination,
  document: { readonly signingId: string; readonly chunks: Uint8Array[]; readonly sha256: string },
): Promise<PublishedObject | undefined> {
  try {
    const { etag, versionId } = await store.put({
      bucket: destination.bucket,
      key: destination.key,
      body: document.chunks,
      contentType: 'application/pdf',
      metadata: { [SIGNING_ID]: document.signingId, [SHA256]: document.sha256 },
      ifNoneMatch: true,
      sha256: document.sha256,
    });
    const size = document.chunks.reduce((total, chunk) => total + chunk.byteLength, 0);
    return { sha256: document.sha256, size, etag, versionId };
  } catch (error) {
    if (error instanceof StorageError && error.code === 'precondition_failed') return undefined;
    throw asDestinationError(error);
  }
}

/**
 * Finds what an earlier attempt of the same signing has published. Metadata can be written by
 * anybody who may write to the bucket, so the bytes go through `verify`, as fresh ones do.
 *
 * @returns undefined if there is no object, or one that is not ours.
 */
export async function findPublished(
  store: Pick<ObjectStore, 'head' | 'get'>,
  destination: Destination,
  expected: {
    readonly signingId: string;
    readonly maxBytes: number;
    readonly verify: (bytes: Uint8Array) => boolean;
  },
): Promise<PublishedObject | undefined> {
  const { bucket, key } = destination;
  try {
    const { metadata } = await store.head({ bucket, key });
    if (metadata[SIGNING_ID] !== expected.signingId) return undefined;
    const object = await store.get({ bucket, key, maxBytes: expected.maxBytes });
    const sha256 = createHash('sha256').update(object.bytes).digest('hex');
    if (sha256 !== metadata[SHA256] || !expected.verify(object.bytes)) return undefined;
    return {
      sha256,
      size: object.bytes.byteLength,
      etag: object.etag,
      versionId: object.versionId,
    };
  } catch (error) {
    if (error instanceof StorageError && notOurs.has(error.code)) return undefined;
    throw asDestinationError(error);
  }
}

// S3 says "denied" of an object that is not there to whoever may not list the bucket. Whether we may
// write there, the PUT tells.
const notOurs: ReadonlySet<StorageErrorCode> = new Set(['not_found', 'too_large', 'access_denied']);

function asDestinationError(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error;
  switch (error.code) {
    case 'bucket_missing':
      return new WorkerError('destination_not_found', 'no such bucket', { cause: error });
    case 'access_denied':
      return new WorkerError('destination_access_denied', 'not writable', { cause: error });
    default:
      return error;
  }
}
