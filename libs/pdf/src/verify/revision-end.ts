import type { DocumentReader } from '../reader/document-reader.ts';
import { Lexer } from '../reader/lexer.ts';

/**
 * Whether a revision of the file ends at `end`: `startxref`, the offset of one of the file's own
 * cross-reference sections, `%%EOF`, and at most one end of line (ISO 32000-2, 7.5.5 and 7.5.6).
 */
export function endsRevision(reader: DocumentReader, end: number): boolean {
  const tail = reader.bytes.subarray(0, end);
  const view = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength);
  const at = view.lastIndexOf('startxref', undefined, 'latin1');
  if (at < 0) return false;
  const lexer = new Lexer(tail, at + 9);
  const offset = lexer.acceptInteger();
  if (offset === undefined || !reader.sections.some((section) => section.offset === offset)) {
    return false;
  }
  while (lexer.peek() !== 0x25 && lexer.position < end) {
    // White space only: a comment before the marker would already be skipped with it.
    if (!/\s/.test(String.fromCharCode(lexer.peek() ?? 0))) return false;
    lexer.position += 1;
  }
  const rest = view.toString('latin1', lexer.position, end);
  return /^%%EOF(\r\n|\r|\n)?$/.test(rest);
}
