import { PdfError } from '../error.ts';
import { damaged } from './lexer.ts';
import { openObjectStream, type ObjectStream } from './object-stream.ts';
import { parseIndirectObject } from './parse-indirect-object.ts';
import {
  entryOf,
  isDictionary,
  isReference,
  isStream,
  type IndirectObject,
  type PdfDictionary,
  type PdfReference,
  type PdfValue,
} from './pdf-value.ts';
import { readXref, type XrefChain } from './read-xref.ts';
import { recoverXref } from './recover-xref.ts';
import { findEntry, type XrefSection } from './xref-section.ts';

/** References to references longer than this resolve to null. */
const MAXIMUM_REFERENCE_CHAIN = 32;
/** How far from the start `%PDF-` is looked for, as viewers do. */
const HEADER_WINDOW = 1024;

/** A PDF whose objects are read on demand. Nothing is parsed that is not asked for. */
export class DocumentReader {
  readonly bytes: Uint8Array;
  readonly origin: number;
  readonly sections: readonly XrefSection[];
  /** The newest trailer that names a catalog, and the bytes its positions index. */
  readonly trailer: PdfDictionary;
  readonly trailerBytes: Uint8Array;
  readonly #objects = new Map<number, IndirectObject | undefined>();
  readonly #streams = new Map<number, ObjectStream>();

  constructor(bytes: Uint8Array, chain: XrefChain) {
    this.bytes = bytes;
    this.origin = chain.origin;
    this.sections = chain.sections;
    const section = chain.sections.find(({ trailer }) => isReference(entryOf(trailer, 'Root')));
    if (section === undefined) throw damaged('no trailer names a catalog', 0);
    this.trailer = section.trailer;
    this.trailerBytes = section.trailerBytes;
    if (this.sections.some(({ trailer }) => this.resolve(entryOf(trailer, 'Encrypt')) !== null)) {
      throw new PdfError('encrypted', 'the document is encrypted');
    }
  }

  /** The newest version of an object; undefined when free or unknown. Throws `damaged` when unreadable. */
  load(objectNumber: number): IndirectObject | undefined {
    if (this.#objects.has(objectNumber)) return this.#objects.get(objectNumber);
    const object = this.#read(objectNumber);
    this.#objects.set(objectNumber, object);
    return object;
  }

  /** Follows references until something else; unknown objects are null (ISO 32000-2, 7.3.10). */
  resolve(value: PdfValue | undefined): PdfValue {
    if (!isReference(value)) return value ?? null;
    return this.locate(value)?.value ?? null;
  }

  /** The object that holds what a reference finally leads to. */
  locate(reference: PdfReference): IndirectObject | undefined {
    let next = reference;
    for (let step = 0; step < MAXIMUM_REFERENCE_CHAIN; step += 1) {
      const object = this.load(next.objectNumber);
      if (object === undefined || !isReference(object.value)) return object;
      next = object.value;
    }
    return undefined;
  }

  /** A dictionary's entry, resolved. */
  get(dictionary: PdfDictionary, key: string): PdfValue {
    return this.resolve(entryOf(dictionary, key));
  }

  /** The document catalog (ISO 32000-2, 7.7.2) and the object that holds it. */
  catalog(): { readonly object: IndirectObject; readonly dictionary: PdfDictionary } {
    const root = entryOf(this.trailer, 'Root');
    const object = isReference(root) ? this.locate(root) : undefined;
    if (object !== undefined && isDictionary(object.value)) {
      return { object, dictionary: object.value };
    }
    throw new PdfError('damaged', 'the catalog is missing', {
      details: { objectNumber: isReference(root) ? root.objectNumber : 0 },
    });
  }

  #read(objectNumber: number): IndirectObject | undefined {
    const entry = findEntry(this.sections, objectNumber);
    if (entry === undefined || entry.type === 'free') return undefined;
    if (entry.type === 'compressed') {
      return this.#stream(entry.container).object(objectNumber);
    }
    // Offset 0 cannot hold an object: producers write it for entries they did not use.
    if (entry.offset === 0) return undefined;
    const object = parseIndirectObject(this.bytes, this.origin + entry.offset);
    if (object.objectNumber === objectNumber) return object;
    throw new PdfError('damaged', 'another object stands where this one should', {
      details: { objectNumber, offset: this.origin + entry.offset },
    });
  }

  #stream(container: number): ObjectStream {
    const known = this.#streams.get(container);
    if (known !== undefined) return known;
    // Only an uncompressed object may be an object stream; this also rules out containment loops.
    const entry = findEntry(this.sections, container);
    const object = entry?.type === 'offset' ? this.load(container) : undefined;
    if (!isStream(object?.value)) {
      throw new PdfError('damaged', 'an object stream is missing', {
        details: { objectNumber: container },
      });
    }
    const stream = openObjectStream(object.value, container, this);
    this.#streams.set(container, stream);
    return stream;
  }
}

/** Opens by the cross-reference sections the file declares. Throws `not_a_pdf`, `encrypted`, `damaged`. */
export function openDocument(bytes: Uint8Array): DocumentReader {
  return new DocumentReader(bytes, readXref(bytes, findHeader(bytes)));
}

/** Opens by scanning the whole file for objects, as viewers do when the declared sections fail. */
export function openDamagedDocument(bytes: Uint8Array): DocumentReader {
  return new DocumentReader(bytes, recoverXref(bytes, findHeader(bytes)));
}

function findHeader(bytes: Uint8Array): number {
  const window = Buffer.from(
    bytes.buffer,
    bytes.byteOffset,
    Math.min(bytes.byteLength, HEADER_WINDOW),
  );
  const header = window.indexOf('%PDF-', 0, 'latin1');
  if (header < 0) throw new PdfError('not_a_pdf', 'there is no PDF header');
  return header;
}
