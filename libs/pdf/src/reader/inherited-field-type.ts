import type { DocumentReader } from './document-reader.ts';
import { isDictionary, isName, type PdfDictionary } from './pdf-value.ts';

const MAXIMUM_DEPTH = 64;

/** A field's `/FT`, its own or an ancestor's (ISO 32000-2, table 226). */
export function inheritedFieldType(
  reader: DocumentReader,
  field: PdfDictionary,
): string | undefined {
  let dictionary: PdfDictionary | undefined = field;
  for (let depth = 0; dictionary !== undefined && depth < MAXIMUM_DEPTH; depth += 1) {
    const type = reader.get(dictionary, 'FT');
    if (isName(type)) return type.name;
    const parent = reader.get(dictionary, 'Parent');
    dictionary = isDictionary(parent) ? parent : undefined;
  }
  return undefined;
}
