import { PdfError } from '../error.ts';
import type { DocumentReader } from './document-reader.ts';
import {
  entryOf,
  isArray,
  isDictionary,
  isName,
  isReference,
  type IndirectObject,
  type PdfDictionary,
  type PdfValue,
} from './pdf-value.ts';

const MAXIMUM_DEPTH = 256;

/** A page and the object that holds it. */
export interface Page {
  readonly object: IndirectObject;
  readonly dictionary: PdfDictionary;
}

/** The first page in reading order (ISO 32000-2, 7.7.3). Throws `no_pages`. */
export function firstPage(reader: DocumentReader): Page {
  const pages = entryOf(reader.catalog().dictionary, 'Pages');
  const page = findPage(reader, pages, new Set(), 0);
  if (page === undefined) throw new PdfError('no_pages', 'the document has no page');
  return page;
}

function findPage(
  reader: DocumentReader,
  node: PdfValue | undefined,
  seen: Set<number>,
  depth: number,
): Page | undefined {
  if (!isReference(node) || seen.has(node.objectNumber) || depth > MAXIMUM_DEPTH) return undefined;
  seen.add(node.objectNumber);
  const object = reader.locate(node);
  if (object === undefined || !isDictionary(object.value)) return undefined;
  const dictionary = object.value;
  const kids = reader.get(dictionary, 'Kids');
  if (!isArray(kids)) return isPage(reader, dictionary) ? { object, dictionary } : undefined;
  for (const kid of kids.items) {
    const page = findPage(reader, kid, seen, depth + 1);
    if (page !== undefined) return page;
  }
  return undefined;
}

/** A leaf is a page unless it says it is something else; some producers omit the type. */
function isPage(reader: DocumentReader, dictionary: PdfDictionary): boolean {
  const type = reader.get(dictionary, 'Type');
  return !isName(type) || type.name !== 'Pages';
}
