import type { DigestedDocument } from './digest.ts';
import { PdfError } from './error.ts';

/** A signed document. Its bytes are the original ones followed by one incremental update. */
export interface SealedDocument {
  readonly digested: DigestedDocument;
  /** The document in order, the source uncopied. */
  readonly chunks: readonly Uint8Array[];
  /** Size of the document in bytes. */
  readonly size: number;
  /** The whole document in one new array. */
  bytes(): Uint8Array;
}

/**
 * Writes the CMS (DER, RFC 5652) into `/Contents`, padded with zeros (ISO 32000-2, 12.8.3.3).
 * Throws {@link PdfError} `contents_overflow` when the place kept for it is too small.
 */
export function sealDocument(digested: DigestedDocument, cms: Uint8Array): SealedDocument {
  const { source, appended, byteRange, contentsBytes } = digested.prepared;
  if (cms.length > contentsBytes) {
    throw new PdfError('contents_overflow', 'the CMS is larger than the space kept for it', {
      details: { cmsBytes: cms.length, contentsBytes },
    });
  }
  const start = byteRange[1] - source.length;
  const sealed = Buffer.from(appended);
  sealed.write(Buffer.from(cms).toString('hex'), start + 1, 'latin1');
  const chunks = Object.freeze([source, sealed]);
  const size = source.length + sealed.length;
  return Object.freeze({ digested, chunks, size, bytes: () => Buffer.concat(chunks, size) });
}
