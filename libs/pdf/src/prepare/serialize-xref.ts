import { createHash } from 'node:crypto';
import type { DocumentReader } from '../reader/document-reader.ts';
import { latin1 } from '../reader/lexer.ts';
import { isArray, isReference, isString, type PdfString } from '../reader/pdf-value.ts';
import type { XrefEntry } from '../reader/xref-section.ts';

/** An object of the new revision; its offset counts from the header's origin. */
export interface WrittenObject {
  readonly objectNumber: number;
  readonly generation: number;
  readonly offset: number;
}

/** What the new cross-reference section is made of. */
export interface XrefParts {
  readonly written: readonly WrittenObject[];
  /** Where the section will begin. */
  readonly offset: number;
  /** One above the highest object number, the section's own stream not counted. */
  readonly size: number;
  readonly changeSeed: string;
}

type Row = readonly [objectNumber: number, entry: XrefEntry];

/** Trailer entries that describe one section only, and are therefore not carried over. */
const ownKeys = new Set(
  'Size Prev XRefStm ID Type W Index Length Filter DecodeParms F FFilter FDecodeParms DL'.split(
    ' ',
  ),
);

/**
 * The section, trailer and `startxref` that end a revision: in the form of the file's newest section
 * (ISO 32000-2, 7.5.8.4 asks not to mix them), and complete where the file's own were lost.
 */
export function serializeXref(reader: DocumentReader, parts: XrefParts): string {
  const newest = reader.sections[0];
  const recovered = newest?.kind === 'recovered' ? recoveredRows(reader, parts.size) : undefined;
  const rows = new Map<number, XrefEntry>(recovered);
  for (const { objectNumber, generation, offset } of parts.written) {
    rows.set(objectNumber, { type: 'offset', offset, generation });
  }
  const sorted = [...rows].sort(([a], [b]) => a - b);
  const previous = recovered === undefined ? ` /Prev ${newest?.offset ?? 0}` : '';
  const shared = `${carriedEntries(reader)} ${identifier(reader, parts.changeSeed)}${previous}`;
  const asStream =
    newest?.kind === 'stream' || sorted.some(([, entry]) => entry.type === 'compressed');
  const section = asStream ? xrefStream(sorted, shared, parts) : xrefTable(sorted, shared, parts);
  return `${section}startxref\n${parts.offset}\n%%EOF\n`;
}

function recoveredRows(reader: DocumentReader, size: number): Row[] {
  const rows: Row[] = [[0, { type: 'free' }]];
  for (let objectNumber = 1; objectNumber < size; objectNumber += 1) {
    const entry = reader.sections[0]?.find(objectNumber);
    if (entry !== undefined) rows.push([objectNumber, entry]);
  }
  return rows;
}

function carriedEntries(reader: DocumentReader): string {
  let text = '';
  for (const [key, { start, end, value }] of reader.trailer.entries) {
    if (ownKeys.has(key)) continue;
    if (isReference(value) && reader.locate(value) === undefined) continue;
    text += ` /${escapeName(key)} ${latin1(reader.trailerBytes, start, end)}`;
  }
  return text;
}

function escapeName(name: string): string {
  return name.replace(
    /[^!"$&'*+,\-.0-9:;=?@A-Z\\^_`a-z|~]/g,
    (character) => `#${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** File identifier (ISO 32000-2, 14.4): the first part stays, the second changes with the content. */
function identifier(reader: DocumentReader, changeSeed: string): string {
  const value = reader.get(reader.trailer, 'ID');
  const [first, second] = isArray(value) ? value.items.map((item) => reader.resolve(item)) : [];
  const hash = createHash('sha256').update(`${reader.bytes.length}\n${changeSeed}\n`);
  if (isString(second)) hash.update(second.bytes);
  const changed = hash.digest('hex').slice(0, 32).toUpperCase();
  return `/ID [<${isString(first) ? hexadecimal(first) : changed}> <${changed}>]`;
}

function hexadecimal(string: PdfString): string {
  return Buffer.from(string.bytes).toString('hex').toUpperCase();
}

/** Runs of consecutive object numbers. */
function subsections(rows: readonly Row[]): Row[][] {
  const runs: Row[][] = [];
  for (const row of rows) {
    const run = runs.at(-1);
    if (run?.at(-1)?.[0] === row[0] - 1) run.push(row);
    else runs.push([row]);
  }
  return runs;
}

function xrefTable(rows: readonly Row[], shared: string, parts: XrefParts): string {
  let text = 'xref\n';
  for (const run of subsections(rows)) {
    text += `${run[0]?.[0] ?? 0} ${run.length}\n`;
    for (const [objectNumber, entry] of run) {
      text +=
        entry.type === 'offset'
          ? `${padded(entry.offset, 10)} ${padded(entry.generation, 5)} n\r\n`
          : `0000000000 ${objectNumber === 0 ? '65535' : '00000'} f\r\n`;
    }
  }
  return `${text}trailer\n<< /Size ${parts.size}${shared} >>\n`;
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function xrefStream(rows: readonly Row[], shared: string, parts: XrefParts): string {
  const objectNumber = parts.size;
  const all: Row[] = [
    ...rows,
    [objectNumber, { type: 'offset', offset: parts.offset, generation: 0 }],
  ];
  const width = parts.offset < 2 ** 32 ? 4 : 6;
  const data = Buffer.alloc(all.length * (3 + width));
  all.forEach(([number, entry], index) => {
    const at = index * (3 + width);
    const [type, second, third] = row(number, entry);
    data.writeUInt8(type, at);
    data.writeUIntBE(second, at + 1, width);
    data.writeUInt16BE(third, at + 1 + width);
  });
  const index = subsections(all)
    .map((run) => `${run[0]?.[0] ?? 0} ${run.length}`)
    .join(' ');
  return (
    `${objectNumber} 0 obj\n<< /Type /XRef /Size ${objectNumber + 1} /W [1 ${width} 2] ` +
    `/Index [${index}] /Length ${data.length}${shared} >>\n` +
    `stream\n${data.toString('latin1')}\nendstream\nendobj\n`
  );
}

/** Table 18 of ISO 32000-2. */
function row(objectNumber: number, entry: XrefEntry): readonly [number, number, number] {
  switch (entry.type) {
    case 'free':
      return [0, 0, objectNumber === 0 ? 65_535 : 0];
    case 'offset':
      return [1, entry.offset, entry.generation];
    case 'compressed':
      return [2, entry.container, entry.index];
  }
}
