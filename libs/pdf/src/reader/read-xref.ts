import { damaged, Lexer } from './lexer.ts';
import { entryOf, isIndex } from './pdf-value.ts';
import type { XrefSection } from './xref-section.ts';
import { parseXrefStream } from './xref-stream.ts';
import { parseXrefTable } from './xref-table.ts';

/** More revisions than this are refused as damage. */
const MAXIMUM_SECTIONS = 10_000;

/** A document's cross-reference sections, newest first. Offsets count from `origin`. */
export interface XrefChain {
  readonly origin: number;
  readonly sections: readonly XrefSection[];
}

/**
 * Follows `startxref` and `/Prev` (ISO 32000-2, 7.5.5). `header` is where `%PDF-` is: with leading
 * bytes, most producers count offsets from there, some from the start of the file.
 * Throws `damaged` with the offset that could not be read.
 */
export function readXref(bytes: Uint8Array, header: number): XrefChain {
  const start = readStartXref(bytes);
  const origin = header > 0 && !sectionBegins(bytes, start + header) ? 0 : header;
  const sections: XrefSection[] = [];
  const seen = new Set<number>();
  for (let next: number | undefined = start; next !== undefined && !seen.has(next);) {
    if (sections.length >= MAXIMUM_SECTIONS) throw damaged('there are too many revisions', next);
    seen.add(next);
    const section = readSection(bytes, origin, next);
    sections.push(section);
    const previous = entryOf(section.trailer, 'Prev');
    next = isIndex(previous) ? previous : undefined;
  }
  return { origin, sections };
}

/** The number after the last `startxref`. */
export function readStartXref(bytes: Uint8Array): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = view.lastIndexOf('startxref', undefined, 'latin1');
  const start = at < 0 ? undefined : new Lexer(bytes, at + 9).acceptInteger();
  if (start === undefined) throw damaged('there is no startxref', Math.max(0, at));
  return start;
}

function sectionBegins(bytes: Uint8Array, at: number): boolean {
  const lexer = new Lexer(bytes, at);
  if (lexer.accept('xref')) return true;
  return (
    lexer.acceptInteger() !== undefined &&
    lexer.acceptInteger() !== undefined &&
    lexer.accept('obj')
  );
}

function readSection(bytes: Uint8Array, origin: number, offset: number): XrefSection {
  const lexer = new Lexer(bytes, origin + offset);
  if (!lexer.accept('xref')) return parseXrefStream(bytes, origin + offset, offset);
  const section = parseXrefTable(lexer, offset);
  const hybrid = entryOf(section.trailer, 'XRefStm');
  if (!isIndex(hybrid)) return section;
  return { ...section, hybrid: parseXrefStream(bytes, origin + hybrid, hybrid) };
}
