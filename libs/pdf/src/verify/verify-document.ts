import { PdfError } from '../error.ts';
import {
  openDamagedDocument,
  openDocument,
  type DocumentReader,
} from '../reader/document-reader.ts';
import { acroForm, formFields, type FormField } from '../reader/form-field.ts';
import { inheritedFieldType } from '../reader/inherited-field-type.ts';
import { entryOf, isDictionary, isReference, type PdfValue } from '../reader/pdf-value.ts';
import type { TrustOptions } from './chain.ts';
import { endsRevision } from './revision-end.ts';
import type { SignatureReport } from './signature-report.ts';
import { verifySignature } from './verify-signature.ts';

/**
 * Judges every signature of a document, in the order of the form's fields. A document without
 * signatures gives an empty list. Hostile bytes give reports or a {@link PdfError}, nothing else.
 */
export function verifyDocument(bytes: Uint8Array, trust: TrustOptions = {}): SignatureReport[] {
  try {
    return verifyAll(openDocument(bytes), trust, false);
  } catch (error) {
    if (!(error instanceof PdfError) || error.code !== 'damaged') throw error;
    return verifyAll(openDamagedDocument(bytes), trust, true);
  }
}

function verifyAll(
  reader: DocumentReader,
  trust: TrustOptions,
  recovered: boolean,
): SignatureReport[] {
  const form = acroForm(reader);
  if (form === undefined) return [];
  const reports: SignatureReport[] = [];
  const known = new Map<PdfValue, SignatureReport>();
  for (const field of formFields(reader, form)) {
    if (field.hasChildFields || inheritedFieldType(reader, field.dictionary) !== 'Sig') continue;
    // Many fields may share one signature: it is judged once, however often it is referred to.
    const value = reader.get(field.dictionary, 'V');
    const report = known.get(value) ?? verifyField(reader, field, { trust, recovered });
    if (report === undefined) continue;
    known.set(value, report);
    reports.push({ ...report, fieldName: field.name });
  }
  return reports;
}

interface Circumstances {
  readonly trust: TrustOptions;
  readonly recovered: boolean;
}

/** The report on a field's signature; undefined when the field is not signed. */
function verifyField(
  reader: DocumentReader,
  field: FormField,
  { trust, recovered }: Circumstances,
): SignatureReport | undefined {
  const value = entryOf(field.dictionary, 'V');
  const object = isReference(value) ? reader.locate(value) : field.object;
  const dictionary = isReference(value) ? object?.value : value;
  if (object === undefined || !isDictionary(dictionary)) return undefined;
  const size = reader.bytes.length;
  return verifySignature({
    fieldName: field.name,
    placed: { dictionary, bytes: object.bytes, base: baseOf(reader, object.bytes), size },
    document: { chunks: [reader.bytes], size },
    get: (key) => reader.get(dictionary, key),
    endsRevision: (end) => !recovered && endsRevision(reader, end),
    trust,
    codes: recovered ? ['xref_recovered'] : [],
  });
}

function baseOf(reader: DocumentReader, bytes: Uint8Array): number | undefined {
  return bytes === reader.bytes ? 0 : undefined;
}
