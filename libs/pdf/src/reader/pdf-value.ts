/** A name object, with `#xx` escapes resolved; each char is one byte. ISO 32000-2, 7.3.5. */
export interface PdfName {
  readonly type: 'name';
  readonly name: string;
}

/** A string object's bytes, escapes resolved, and its form. ISO 32000-2, 7.3.4. */
export interface PdfString {
  readonly type: 'string';
  readonly bytes: Uint8Array;
  readonly hexadecimal: boolean;
}

/** An indirect reference. ISO 32000-2, 7.3.10. */
export interface PdfReference {
  readonly type: 'reference';
  readonly objectNumber: number;
  readonly generation: number;
}

/** An array; `start` and `end` delimit its text, brackets included. */
export interface PdfArray {
  readonly type: 'array';
  readonly items: readonly PdfValue[];
  readonly start: number;
  readonly end: number;
}

/** A dictionary entry: where its value's text is, and the value. */
export interface PdfEntry {
  readonly start: number;
  readonly end: number;
  readonly value: PdfValue;
}

/** A dictionary; `start` and `end` delimit its text, `<<` and `>>` included. */
export interface PdfDictionary {
  readonly type: 'dictionary';
  readonly entries: ReadonlyMap<string, PdfEntry>;
  readonly start: number;
  readonly end: number;
}

/** A stream: its dictionary and where its data begins. The length is resolved when it is decoded. */
export interface PdfStream {
  readonly type: 'stream';
  readonly dictionary: PdfDictionary;
  readonly dataStart: number;
}

export type PdfValue =
  | null
  | boolean
  | number
  | PdfName
  | PdfString
  | PdfReference
  | PdfArray
  | PdfDictionary
  | PdfStream;

/**
 * An object as found in a file. All positions inside `value` index `bytes`, which is the whole file
 * or, when `container` is given, the decoded object stream of that number.
 */
export interface IndirectObject {
  readonly objectNumber: number;
  readonly generation: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly value: PdfValue;
  readonly container?: number;
}

type Tagged = Exclude<PdfValue, null | boolean | number>;

function tagged<Type extends Tagged['type']>(type: Type) {
  return (value: PdfValue | undefined): value is Extract<Tagged, { type: Type }> =>
    typeof value === 'object' && value !== null && value.type === type;
}

export const isName = tagged('name');
export const isString = tagged('string');
export const isReference = tagged('reference');
export const isArray = tagged('array');
export const isDictionary = tagged('dictionary');
export const isStream = tagged('stream');

/** The dictionary of a dictionary or a stream. */
export function dictionaryOf(value: PdfValue | undefined): PdfDictionary | undefined {
  if (isDictionary(value)) return value;
  return isStream(value) ? value.dictionary : undefined;
}

/** An entry's value, unresolved; undefined when the dictionary lacks it. */
export function entryOf(dictionary: PdfDictionary, key: string): PdfValue | undefined {
  return dictionary.entries.get(key)?.value;
}

/** A number that is safe to use as an offset, length, count or object number. */
export function isIndex(value: PdfValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
