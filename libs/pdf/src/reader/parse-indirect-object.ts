import { damaged, Lexer } from './lexer.ts';
import { parseValue } from './parse-value.ts';
import { isDictionary, type IndirectObject } from './pdf-value.ts';

/**
 * Reads `n g obj …` at an offset of the file (ISO 32000-2, 7.3.10).
 * Throws `damaged` with the offset when no object begins there.
 */
export function parseIndirectObject(bytes: Uint8Array, offset: number): IndirectObject {
  const lexer = new Lexer(bytes, offset);
  const objectNumber = lexer.acceptInteger();
  const generation = lexer.acceptInteger();
  lexer.skipSpace();
  if (objectNumber === undefined || generation === undefined || !atObj(lexer)) {
    throw damaged('no object begins at this offset', offset);
  }
  lexer.position += 3;
  lexer.skipSpace();
  const start = lexer.position;
  const value = lexer.at('endobj') ? null : parseValue(lexer);
  const end = lexer.position;
  if (isDictionary(value) && lexer.accept('stream')) {
    if (lexer.peek() === 13) lexer.position += 1;
    if (lexer.peek() === 10) lexer.position += 1;
    const stream = { type: 'stream', dictionary: value, dataStart: lexer.position } as const;
    return { objectNumber, generation, bytes, start, end, value: stream };
  }
  return { objectNumber, generation, bytes, start, end, value };
}

/** `obj` may be followed directly by the value (`1 0 obj12`), so no keyword boundary is asked for. */
function atObj(lexer: Lexer): boolean {
  return lexer.peek() === 0x6f && lexer.peek(1) === 0x62 && lexer.peek(2) === 0x6a;
}
