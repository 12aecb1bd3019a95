import { PdfError } from '../error.ts';
import { Lexer } from '../reader/lexer.ts';
import { parseIndirectObject } from '../reader/parse-indirect-object.ts';
import {
  entryOf,
  isDictionary,
  isName,
  isReference,
  type PdfDictionary,
} from '../reader/pdf-value.ts';
import { readStartXref } from '../reader/read-xref.ts';
import type { XrefSection } from '../reader/xref-section.ts';
import { parseXrefStream } from '../reader/xref-stream.ts';
import { parseXrefTable } from '../reader/xref-table.ts';
import type { SealedDocument } from '../seal.ts';
import type { TrustOptions } from './chain.ts';
import type { SignatureReport } from './signature-report.ts';
import { verifySignature } from './verify-signature.ts';

/**
 * Judges the new signature of a document just sealed, from the bytes that are about to be stored:
 * its cross-reference section, signature dictionary, byte range and CMS are read back from the
 * appended chunk, and the digest is taken anew over all chunks. The source is neither copied nor
 * parsed. Throws {@link PdfError} `damaged` when what was appended cannot be read back.
 */
export function verifySealed(sealed: SealedDocument, trust: TrustOptions = {}): SignatureReport {
  const { prepared } = sealed.digested;
  const appended = sealed.chunks.at(-1) ?? new Uint8Array();
  const base = sealed.size - appended.length;
  const shift = prepared.origin - base;
  const section = readSection(appended, shift);
  requireLinked(section, sealed);
  const dictionary = readSignature(appended, shift, section, prepared.signatureObjectNumber);
  const { size } = sealed;
  return verifySignature({
    fieldName: prepared.fieldName,
    placed: { dictionary, bytes: appended, base, size },
    document: sealed,
    get: (key) => {
      const value = entryOf(dictionary, key);
      return isReference(value) ? null : (value ?? null);
    },
    endsRevision: (end) => end === size,
    trust,
    codes: entryType(dictionary) === 'Sig' ? [] : ['not_a_signature_dictionary'],
  });
}

function readSection(appended: Uint8Array, shift: number): XrefSection {
  const offset = readStartXref(appended);
  const lexer = new Lexer(appended, requireInside(offset + shift, appended));
  return lexer.accept('xref')
    ? parseXrefTable(lexer, offset)
    : parseXrefStream(appended, offset + shift, offset);
}

/** The new section must lead on to the source's own, unless those were found by scanning only. */
function requireLinked(section: XrefSection, { digested }: SealedDocument): void {
  const { source, recovered } = digested.prepared;
  const previous = entryOf(section.trailer, 'Prev');
  const expected = recovered ? undefined : readStartXref(source);
  if (previous !== expected) throw unreadable('the new section does not follow the last one');
}

function readSignature(
  appended: Uint8Array,
  shift: number,
  section: XrefSection,
  objectNumber: number,
): PdfDictionary {
  const entry = section.find(objectNumber);
  if (entry?.type !== 'offset') throw unreadable('the signature is not in the new section');
  const object = parseIndirectObject(appended, requireInside(entry.offset + shift, appended));
  if (object.objectNumber === objectNumber && isDictionary(object.value)) return object.value;
  throw unreadable('the signature is not where the new section says');
}

function entryType(dictionary: PdfDictionary): string | undefined {
  const type = entryOf(dictionary, 'Type');
  return isName(type) ? type.name : undefined;
}

function requireInside(position: number, appended: Uint8Array): number {
  if (position >= 0 && position < appended.length) return position;
  throw unreadable('an offset leads out of the new revision');
}

function unreadable(message: string): PdfError {
  return new PdfError('damaged', message);
}
