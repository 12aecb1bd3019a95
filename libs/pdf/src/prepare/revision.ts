import { PdfError } from '../error.ts';
import type { DocumentReader } from '../reader/document-reader.ts';
import { entryOf, isIndex, isReference, type IndirectObject } from '../reader/pdf-value.ts';
import { applyEdits, type Edit } from './edit.ts';
import { serializeXref, type WrittenObject } from './serialize-xref.ts';

/** The largest object number that common readers accept (ISO 32000-1, annex C). */
const MAXIMUM_OBJECT_NUMBER = 8_388_607;

/** Where a new object will be referred to. */
export interface NewObject {
  readonly objectNumber: number;
  readonly generation: 0;
}

/**
 * Collects the objects of one incremental update (ISO 32000-2, 7.5.6), then writes them with their
 * cross-reference section.
 */
export class Revision {
  readonly #reader: DocumentReader;
  readonly #edits = new Map<number, { readonly object: IndirectObject; readonly edits: Edit[] }>();
  readonly #added: { readonly objectNumber: number; readonly text: string }[] = [];
  #nextObjectNumber: number;

  constructor(reader: DocumentReader) {
    this.#reader = reader;
    this.#nextObjectNumber = firstUnusedObjectNumber(reader);
  }

  /** Takes a number for an object that `add` will write. */
  reserve(): NewObject {
    const objectNumber = this.#nextObjectNumber;
    if (objectNumber > MAXIMUM_OBJECT_NUMBER) {
      throw new PdfError('too_complex', 'no object number is left', {
        details: { objectNumber, limit: MAXIMUM_OBJECT_NUMBER },
      });
    }
    this.#nextObjectNumber += 1;
    return { objectNumber, generation: 0 };
  }

  /** Writes a new object's text (Latin-1) under a reserved number. */
  add(object: NewObject, text: string): void {
    this.#added.push({ objectNumber: object.objectNumber, text });
  }

  /** Changes an existing object. Objects from object streams become ordinary ones. */
  edit(object: IndirectObject, edit: Edit): void {
    const known = this.#edits.get(object.objectNumber);
    if (known === undefined) this.#edits.set(object.objectNumber, { object, edits: [edit] });
    else known.edits.push(edit);
  }

  /**
   * Writes the update, the signature dictionary last. `start` is where its text begins in `bytes`.
   */
  serialize(
    signature: NewObject,
    dictionary: string,
  ): { readonly bytes: Buffer; readonly start: number } {
    const { bytes, origin } = this.#reader;
    const last = bytes.at(-1);
    let text = last === 10 || last === 13 ? '' : '\n';
    const written: WrittenObject[] = [];
    const write = (objectNumber: number, generation: number, body: string): number => {
      written.push({ objectNumber, generation, offset: bytes.length + text.length - origin });
      text += `${objectNumber} ${generation} obj\n`;
      const start = text.length;
      text += `${body}\nendobj\n`;
      return start;
    };
    for (const { object, edits } of this.#edits.values()) {
      const generation = object.container === undefined ? object.generation : 0;
      write(object.objectNumber, generation, applyEdits(object, edits));
    }
    for (const { objectNumber, text: body } of this.#added) write(objectNumber, 0, body);
    const start = write(signature.objectNumber, signature.generation, dictionary);
    text += serializeXref(this.#reader, {
      written,
      offset: bytes.length + text.length - origin,
      size: this.#nextObjectNumber,
      changeSeed: text,
    });
    return { bytes: Buffer.from(text, 'latin1'), start };
  }
}

/**
 * Above every number the file uses or mentions where we would take it over: `/Size` is too small in
 * some files, and a dangling `/Info` must not come to mean one of our objects.
 */
function firstUnusedObjectNumber(reader: DocumentReader): number {
  let next = 1;
  for (const section of reader.sections) {
    const { trailer } = section;
    const size = entryOf(trailer, 'Size');
    const info = entryOf(trailer, 'Info');
    next = Math.max(
      next,
      section.highestObjectNumber + 1,
      (section.hybrid?.highestObjectNumber ?? 0) + 1,
      isIndex(size) && size <= MAXIMUM_OBJECT_NUMBER ? size : 0,
      isReference(info) ? info.objectNumber + 1 : 0,
    );
  }
  return next;
}
