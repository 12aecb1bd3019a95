import type { DocumentReader } from './document-reader.ts';
import {
  dictionaryOf,
  isArray,
  isDictionary,
  isReference,
  isString,
  type IndirectObject,
  type PdfDictionary,
  type PdfValue,
} from './pdf-value.ts';
import { decodeTextString } from './text-string.ts';

const MAXIMUM_DEPTH = 64;
const MAXIMUM_FIELDS = 200_000;

/** A node of the field tree (ISO 32000-2, 12.7.4.1). Attributes are as inherited. */
export interface FormField {
  /** Fully qualified name, 12.7.4.2. */
  readonly name: string;
  /** The object that holds it; for a direct dictionary the one around it. */
  readonly object: IndirectObject;
  readonly dictionary: PdfDictionary;
  /** Whether `/Kids` holds fields, so that this one has no value of its own. */
  readonly hasChildFields: boolean;
}

/** The interactive form, and the object whose text holds it. */
export interface AcroForm {
  readonly object: IndirectObject;
  readonly dictionary: PdfDictionary;
}

/** `/AcroForm` of the catalog, direct or indirect (12.7.3); undefined when there is none to extend. */
export function acroForm(reader: DocumentReader): AcroForm | undefined {
  const catalog = reader.catalog();
  const entry = catalog.dictionary.entries.get('AcroForm')?.value;
  if (isDictionary(entry)) return { object: catalog.object, dictionary: entry };
  const object = isReference(entry) ? reader.locate(entry) : undefined;
  return object !== undefined && isDictionary(object.value)
    ? { object, dictionary: object.value }
    : undefined;
}

/**
 * Walks the field tree depth first. `descend` says, by the fully qualified name, whether the fields
 * below are of interest. Loops and excessive depth end the walk of their branch.
 */
export function* formFields(
  reader: DocumentReader,
  form: AcroForm,
  descend: (name: string) => boolean = () => true,
): Generator<FormField> {
  const seen = new Set<number>();
  const walk = function* (kids: PdfValue, parent: string, depth: number): Generator<FormField> {
    if (!isArray(kids) || depth > MAXIMUM_DEPTH) return;
    for (const kid of kids.items) {
      const field = readField(reader, { kid, parent, holder: form.object, seen });
      if (field === undefined) continue;
      yield field;
      if (field.hasChildFields && descend(field.name)) {
        yield* walk(reader.get(field.dictionary, 'Kids'), field.name, depth + 1);
      }
    }
  };
  yield* walk(reader.get(form.dictionary, 'Fields'), '', 0);
}

interface FieldPlace {
  readonly kid: PdfValue;
  readonly parent: string;
  readonly holder: IndirectObject;
  readonly seen: Set<number>;
}

function readField(reader: DocumentReader, place: FieldPlace): FormField | undefined {
  const { kid, parent, seen } = place;
  if (isReference(kid)) {
    if (seen.has(kid.objectNumber) || seen.size > MAXIMUM_FIELDS) return undefined;
    seen.add(kid.objectNumber);
  }
  const object = isReference(kid) ? reader.locate(kid) : place.holder;
  const dictionary = dictionaryOf(isReference(kid) ? object?.value : kid);
  if (object === undefined || dictionary === undefined) return undefined;
  const title = reader.get(dictionary, 'T');
  const partial = isString(title) ? decodeTextString(title.bytes) : '';
  const name = parent !== '' && partial !== '' ? `${parent}.${partial}` : parent + partial;
  return { name, object, dictionary, hasChildFields: hasChildFields(reader, dictionary) };
}

/** Kids of a terminal field are widgets, which have no partial name of their own. */
function hasChildFields(reader: DocumentReader, dictionary: PdfDictionary): boolean {
  const kids = reader.get(dictionary, 'Kids');
  if (!isArray(kids)) return false;
  return kids.items.some((kid) => {
    const child = dictionaryOf(reader.resolve(kid));
    return child !== undefined && (child.entries.has('T') || child.entries.has('Kids'));
  });
}
