import { PdfError } from '../error.ts';
import type { DocumentReader } from '../reader/document-reader.ts';
import { isArray, isDictionary, isName, type PdfDictionary } from '../reader/pdf-value.ts';

/** Throws `certification_forbids` when the document is certified against any change (DocMDP, P=1). */
export function requireChangesAllowed(reader: DocumentReader): void {
  if (certificationPermission(reader) !== 1) return;
  throw new PdfError('certification_forbids', 'the document is certified against any change');
}

/** The DocMDP permission 1 to 3 (ISO 32000-2, 12.8.2.2); undefined when not certified. */
export function certificationPermission(reader: DocumentReader): number | undefined {
  const permissions = reader.get(reader.catalog().dictionary, 'Perms');
  if (!isDictionary(permissions)) return undefined;
  const signature = reader.get(permissions, 'DocMDP');
  if (!isDictionary(signature)) return undefined;
  const references = reader.get(signature, 'Reference');
  for (const item of isArray(references) ? references.items : []) {
    const reference = reader.resolve(item);
    if (isDictionary(reference) && isDocMdp(reader, reference)) {
      const parameters = reader.get(reference, 'TransformParams');
      const permission = isDictionary(parameters) ? reader.get(parameters, 'P') : null;
      // Table 257: 2 when absent.
      return typeof permission === 'number' ? permission : 2;
    }
  }
  return undefined;
}

function isDocMdp(reader: DocumentReader, reference: PdfDictionary): boolean {
  const method = reader.get(reference, 'TransformMethod');
  return isName(method) && method.name === 'DocMDP';
}
