import { latin1 } from '../reader/lexer.ts';
import type { IndirectObject, PdfArray, PdfDictionary } from '../reader/pdf-value.ts';

/** A change to an object's text: what stands from `start` to `end` gives way to `text` (Latin-1). */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Gives a dictionary's entry a new value, or adds the entry. */
export function setEntry(dictionary: PdfDictionary, key: string, text: string): Edit {
  const entry = dictionary.entries.get(key);
  if (entry !== undefined) return { start: entry.start, end: entry.end, text: ` ${text} ` };
  const end = dictionary.end - 2;
  return { start: end, end, text: ` /${key} ${text} ` };
}

/** Adds an item at an array's end. */
export function appendItem(array: PdfArray, text: string): Edit {
  const end = array.end - 1;
  return { start: end, end, text: ` ${text} ` };
}

/**
 * An object's text with edits applied. Editing the text, instead of writing the parsed value anew,
 * keeps all that is not changed byte for byte.
 */
export function applyEdits(object: IndirectObject, edits: readonly Edit[]): string {
  let text = '';
  let position = object.start;
  // The sort is stable: edits at one place stay in the order they were asked for.
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    text += latin1(object.bytes, position, edit.start) + edit.text;
    position = edit.end;
  }
  return text + latin1(object.bytes, position, object.end);
}
