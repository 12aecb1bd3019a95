import { createHash } from 'node:crypto';
import type { PreparedDocument } from './prepare.ts';

/** The digests that signatures of this library use. */
export type DigestName = 'sha256' | 'sha384';

/** A prepared document and the digest over its byte range: what the CMS must attest. */
export interface DigestedDocument {
  readonly prepared: PreparedDocument;
  readonly digest: DigestName;
  /** For the CMS attribute message-digest (RFC 5652, 11.2). */
  readonly messageDigest: Uint8Array;
}

/** Hashes all but the value of `/Contents` (ISO 32000-2, 12.8.1). The source is not copied. */
export function digestDocument(prepared: PreparedDocument, digest: DigestName): DigestedDocument {
  const { source, appended, byteRange } = prepared;
  const messageDigest = createHash(digest)
    .update(source)
    .update(appended.subarray(0, byteRange[1] - source.length))
    .update(appended.subarray(byteRange[2] - source.length))
    .digest();
  return Object.freeze({ prepared, digest, messageDigest });
}
