import { PdfError } from './error.ts';
import { requireChangesAllowed } from './prepare/certification.ts';
import { Revision } from './prepare/revision.ts';
import {
  serializeByteRange,
  signatureDictionary,
  type SignatureFacts,
} from './prepare/signature-dictionary.ts';
import { placeSignature } from './prepare/signature-field.ts';
import {
  openDamagedDocument,
  openDocument,
  type DocumentReader,
} from './reader/document-reader.ts';
import { firstPage } from './reader/first-page.ts';

/** More than any CMS needs; bounds what a caller's mistake can allocate. */
const MAXIMUM_CONTENTS_BYTES = 4 * 1024 * 1024;

/** `[0, a, b, c]`: bytes 0 to a, and c bytes from b. ISO 32000-2, 12.8.1. */
export type ByteRange = readonly [number, number, number, number];

/** How to sign: what the signature says, and how much room its CMS gets. */
export interface PrepareOptions extends SignatureFacts {
  /** Upper bound of the CMS in bytes. */
  readonly contentsBytes: number;
  /** An empty signature field to sign, or the name of a new one; by default `Signature1`, … */
  readonly fieldName?: string | undefined;
}

/** A document with the place of its signature fixed: all but `/Contents` is final. */
export interface PreparedDocument {
  /** The caller's bytes, which must not change until the document is stored. */
  readonly source: Uint8Array;
  /** What follows the source, with zeros in `/Contents`. */
  readonly appended: Uint8Array;
  readonly byteRange: ByteRange;
  readonly contentsBytes: number;
  readonly fieldName: string;
  readonly signatureObjectNumber: number;
  /** Where the `%PDF-` header is from which the file's offsets count. */
  readonly origin: number;
  /** Whether the cross-reference of the source was damaged and found again by scanning. */
  readonly recovered: boolean;
}

/**
 * Adds an invisible PAdES signature to a PDF by an incremental update (ISO 32000-2, 7.5.6): the
 * source's bytes stay as they are and become a prefix of the result.
 *
 * Throws {@link PdfError}: `not_a_pdf`, `encrypted`, `damaged`, `too_complex`, `no_pages`,
 * `certification_forbids`, `field_exists`, `field_name_invalid`, `contents_size_invalid`.
 */
export function prepareSignature(source: Uint8Array, options: PrepareOptions): PreparedDocument {
  const { contentsBytes } = options;
  const valid = Number.isSafeInteger(contentsBytes) && contentsBytes > 0;
  if (!valid || contentsBytes > MAXIMUM_CONTENTS_BYTES) {
    throw new PdfError('contents_size_invalid', 'the size of the CMS is out of bounds', {
      details: { contentsBytes, limit: MAXIMUM_CONTENTS_BYTES },
    });
  }
  try {
    return prepare(openDocument(source), options, false);
  } catch (error) {
    if (!mayRecover(error)) throw error;
    return prepareDamaged(source, options, error);
  }
}

/** Scanning helps where the declared structure is at fault, not where the content is. */
function mayRecover(error: unknown): error is PdfError {
  return error instanceof PdfError && (error.code === 'damaged' || error.code === 'no_pages');
}

function prepareDamaged(
  source: Uint8Array,
  options: PrepareOptions,
  first: PdfError,
): PreparedDocument {
  try {
    return prepare(openDamagedDocument(source), options, true);
  } catch (error) {
    // The declared structure's error says more about the file than the scan's.
    throw mayRecover(error) ? first : error;
  }
}

function prepare(
  reader: DocumentReader,
  options: PrepareOptions,
  recovered: boolean,
): PreparedDocument {
  const page = firstPage(reader);
  requireChangesAllowed(reader);
  const revision = new Revision(reader);
  const signature = revision.reserve();
  const dictionary = signatureDictionary(options, options.contentsBytes);
  const { fieldName: wanted } = options;
  const fieldName = placeSignature(reader, { revision, page, signature, fieldName: wanted });
  const source = reader.bytes;
  const { bytes: appended, start } = revision.serialize(signature, dictionary.text);
  const contentsStart = source.length + start + dictionary.contentsAt;
  const contentsEnd = contentsStart + 2 * options.contentsBytes + 2;
  const total = source.length + appended.length;
  const byteRange = [0, contentsStart, contentsEnd, total - contentsEnd] as const;
  appended.write(serializeByteRange(byteRange), start + dictionary.byteRangeAt, 'latin1');
  return Object.freeze({
    source,
    appended,
    byteRange,
    contentsBytes: options.contentsBytes,
    fieldName,
    signatureObjectNumber: signature.objectNumber,
    origin: reader.origin,
    recovered,
  });
}
