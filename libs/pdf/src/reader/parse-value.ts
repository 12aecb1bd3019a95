import { PdfError } from '../error.ts';
import { isDigit } from './character.ts';
import { damaged, type Lexer } from './lexer.ts';
import type { PdfArray, PdfDictionary, PdfEntry, PdfReference, PdfValue } from './pdf-value.ts';

/** Containers deeper than this are refused: no real file comes near. */
const MAXIMUM_DEPTH = 256;

/**
 * Reads one object at the lexer's position (ISO 32000-2, 7.3). Streams are not recognised here: they
 * only exist as indirect objects.
 */
export function parseValue(lexer: Lexer, depth = 0): PdfValue {
  lexer.skipSpace();
  const byte = lexer.peek();
  switch (byte) {
    case 0x2f: // solidus
      return { type: 'name', name: lexer.name() };
    case 0x28: // (
      return { type: 'string', bytes: lexer.literalString(), hexadecimal: false };
    case 0x5b: // [
      return parseArray(lexer, nextDepth(lexer, depth));
    case 0x3c: // <
      if (lexer.peek(1) === 0x3c) return parseDictionary(lexer, nextDepth(lexer, depth));
      return { type: 'string', bytes: lexer.hexadecimalString(), hexadecimal: true };
    default:
      return isDigit(byte) ? parseIntegerOrReference(lexer) : parseWord(lexer);
  }
}

function nextDepth(lexer: Lexer, depth: number): number {
  if (depth < MAXIMUM_DEPTH) return depth + 1;
  throw new PdfError('too_complex', 'objects are nested too deeply', {
    details: { offset: lexer.position, limit: MAXIMUM_DEPTH },
  });
}

function parseArray(lexer: Lexer, depth: number): PdfArray {
  const start = lexer.position;
  lexer.position += 1;
  const items: PdfValue[] = [];
  for (;;) {
    lexer.skipSpace();
    const byte = lexer.peek();
    if (byte === undefined) throw damaged('an array does not end', start);
    if (byte === 0x5d) {
      lexer.position += 1;
      return { type: 'array', items, start, end: lexer.position };
    }
    items.push(parseValue(lexer, depth));
  }
}

function parseDictionary(lexer: Lexer, depth: number): PdfDictionary {
  const start = lexer.position;
  lexer.position += 2;
  const entries = new Map<string, PdfEntry>();
  for (;;) {
    lexer.skipSpace();
    const byte = lexer.peek();
    if (byte === 0x3e && lexer.peek(1) === 0x3e) {
      lexer.position += 2;
      return { type: 'dictionary', entries, start, end: lexer.position };
    }
    if (byte !== 0x2f) throw damaged('a dictionary key is not a name', lexer.position);
    const key = lexer.name();
    lexer.skipSpace();
    const valueStart = lexer.position;
    // A key without a value, before the end: read as null, as viewers do.
    const value = lexer.peek() === 0x3e ? null : parseValue(lexer, depth);
    entries.set(key, { start: valueStart, end: lexer.position, value });
  }
}

function parseIntegerOrReference(lexer: Lexer): number | PdfReference {
  const start = lexer.position;
  const objectNumber = lexer.acceptInteger();
  const afterFirst = lexer.position;
  if (objectNumber !== undefined && !isNumeric(lexer.peek())) {
    const reference = parseReferenceTail(lexer, objectNumber);
    if (reference !== undefined) return reference;
    lexer.position = afterFirst;
    return objectNumber;
  }
  lexer.position = start;
  return parseNumber(lexer);
}

function parseReferenceTail(lexer: Lexer, objectNumber: number): PdfReference | undefined {
  const generation = lexer.acceptInteger();
  if (generation === undefined) return undefined;
  return lexer.accept('R') ? { type: 'reference', objectNumber, generation } : undefined;
}

/** What may go on inside a number after its leading digits. */
function isNumeric(byte: number | undefined): boolean {
  return byte === 0x2e || byte === 0x2d || byte === 0x2b || isDigit(byte);
}

function parseNumber(lexer: Lexer): number {
  const start = lexer.position;
  while (isNumeric(lexer.peek())) lexer.position += 1;
  const text = String.fromCharCode(
    ...lexer.bytes.subarray(start, Math.min(lexer.position, start + 64)),
  );
  // Doubled or misplaced signs occur in real files; viewers read the number before them.
  const value = Number.parseFloat(text.replace(/^([+-])[+-]+/, '$1'));
  return Number.isNaN(value) ? 0 : value;
}

function parseWord(lexer: Lexer): PdfValue {
  const start = lexer.position;
  if (isNumeric(lexer.peek())) return parseNumber(lexer);
  switch (lexer.word()) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'null':
      return null;
    default:
      throw damaged('an object begins with an unknown word', start);
  }
}
