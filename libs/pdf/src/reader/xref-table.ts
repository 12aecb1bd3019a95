import { isDigit, isWhiteSpace } from './character.ts';
import { damaged, type Lexer } from './lexer.ts';
import { parseValue } from './parse-value.ts';
import { isDictionary, type PdfDictionary } from './pdf-value.ts';
import type { XrefEntry, XrefSection } from './xref-section.ts';

/** An entry of a well-formed table is exactly this long. ISO 32000-2, 7.5.4. */
const ENTRY_BYTES = 20;
/** Object numbers beyond this are taken for damage. */
const MAXIMUM_OBJECT_NUMBER = 2 ** 31;

interface Subsection {
  readonly first: number;
  readonly count: number;
  readonly entry: (index: number) => XrefEntry | undefined;
}

/** Reads a table and its trailer; the lexer is after the `xref` keyword. Entries are read on demand. */
export function parseXrefTable(lexer: Lexer, offset: number): XrefSection {
  const subsections: Subsection[] = [];
  while (!lexer.accept('trailer')) subsections.push(parseSubsection(lexer));
  const trailer = parseTrailer(lexer);
  const highest = subsections.map(({ first, count }) => first + count - 1);
  return {
    kind: 'table',
    offset,
    trailer,
    trailerBytes: lexer.bytes,
    highestObjectNumber: Math.max(0, ...highest),
    find(objectNumber) {
      for (const { first, count, entry } of subsections) {
        if (objectNumber >= first && objectNumber < first + count) {
          return entry(objectNumber - first);
        }
      }
      return undefined;
    },
  };
}

function parseTrailer(lexer: Lexer): PdfDictionary {
  const trailer = parseValue(lexer);
  if (isDictionary(trailer)) return trailer;
  throw damaged('the trailer is not a dictionary', lexer.position);
}

function parseSubsection(lexer: Lexer): Subsection {
  const at = lexer.position;
  const first = lexer.acceptInteger();
  const count = lexer.acceptInteger();
  if (first === undefined || count === undefined || first + count > MAXIMUM_OBJECT_NUMBER) {
    throw damaged('a cross-reference subsection is malformed', at);
  }
  lexer.skipSpace();
  const start = lexer.position;
  const fixed = fixedEntries(lexer, count);
  if (fixed !== undefined) return { first: firstNumber(first, count, fixed), count, entry: fixed };
  lexer.position = start;
  const entries = irregularEntries(lexer, count);
  const entry = (index: number): XrefEntry | undefined => entries[index];
  return { first: firstNumber(first, count, entry), count, entry };
}

/** Some producers number from 1 a section that begins with the head of the free list, object 0. */
function firstNumber(
  first: number,
  count: number,
  entry: (index: number) => XrefEntry | undefined,
): number {
  if (first !== 1 || count < 2) return first;
  return entry(0)?.type === 'free' && entry(1)?.type === 'offset' ? 0 : first;
}

/** Entries of exactly 20 bytes; undefined when the section is not made of those. */
function fixedEntries(
  lexer: Lexer,
  count: number,
): ((index: number) => XrefEntry | undefined) | undefined {
  const { bytes, position: start } = lexer;
  const end = start + count * ENTRY_BYTES;
  if (end > bytes.length) return undefined;
  for (const index of [0, count - 1]) {
    if (count > 0 && !isFixedEntry(bytes, start + index * ENTRY_BYTES)) return undefined;
  }
  lexer.position = end;
  lexer.skipSpace();
  if (!isDigit(lexer.peek()) && !lexer.at('trailer')) return undefined;
  return (index) => {
    const at = start + index * ENTRY_BYTES;
    if (!isFixedEntry(bytes, at)) throw damaged('a cross-reference entry is malformed', at);
    if (bytes[at + 17] === 0x66) return { type: 'free' };
    return { type: 'offset', offset: digits(bytes, at, 10), generation: digits(bytes, at + 11, 5) };
  };
}

function isFixedEntry(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < 16; index += 1) {
    if (index === 10 ? bytes[at + index] !== 0x20 : !isDigit(bytes[at + index])) return false;
  }
  const type = bytes[at + 17];
  return (type === 0x6e || type === 0x66) && isWhiteSpace(bytes[at + 19]);
}

function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index += 1)
    value = value * 10 + (bytes[index] ?? 0) - 0x30;
  return value;
}

/** Entries of another width: 19-byte lines and missing leading zeros occur in real files. */
function irregularEntries(lexer: Lexer, count: number): readonly XrefEntry[] {
  const entries: XrefEntry[] = [];
  while (entries.length < count) {
    lexer.skipSpace();
    if (lexer.at('trailer')) break;
    const at = lexer.position;
    const offset = lexer.acceptInteger();
    const generation = lexer.acceptInteger();
    const inUse = lexer.accept('n');
    if (offset === undefined || generation === undefined || (!inUse && !lexer.accept('f'))) {
      throw damaged('a cross-reference entry is malformed', at);
    }
    entries.push(inUse ? { type: 'offset', offset, generation } : { type: 'free' });
  }
  return entries;
}
