import { decodeStream } from './decode-stream.ts';
import { damaged } from './lexer.ts';
import { parseIndirectObject } from './parse-indirect-object.ts';
import {
  entryOf,
  isArray,
  isIndex,
  isName,
  isReference,
  isStream,
  type PdfDictionary,
} from './pdf-value.ts';
import type { XrefEntry, XrefSection } from './xref-section.ts';

interface Range {
  readonly first: number;
  readonly count: number;
  /** Row of the stream's data that describes object `first`. */
  readonly row: number;
}

/** Reads a cross-reference stream (ISO 32000-2, 7.5.8). Its data is inflated on the first look-up. */
export function parseXrefStream(bytes: Uint8Array, at: number, offset: number): XrefSection {
  const { value } = parseIndirectObject(bytes, at);
  const type = isStream(value) ? entryOf(value.dictionary, 'Type') : undefined;
  if (!isStream(value) || !isName(type) || type.name !== 'XRef') {
    throw damaged('no cross-reference section begins at this offset', at);
  }
  const { dictionary } = value;
  const widths = readWidths(dictionary, at);
  const ranges = readRanges(dictionary, at);
  let data: Uint8Array | undefined;
  return {
    kind: 'stream',
    offset,
    trailer: dictionary,
    trailerBytes: bytes,
    highestObjectNumber: Math.max(0, ...ranges.map(({ first, count }) => first + count - 1)),
    find(objectNumber) {
      const range = ranges.find(
        ({ first, count }) => objectNumber >= first && objectNumber < first + count,
      );
      if (range === undefined) return undefined;
      // References are not followed: what a section needs may not depend on the section.
      data ??= decodeStream(value, {
        bytes,
        resolve: (v) => (isReference(v) ? null : (v ?? null)),
      });
      return readRow(data, widths, range.row + objectNumber - range.first);
    },
  };
}

type Widths = readonly [number, number, number];

function readWidths(dictionary: PdfDictionary, at: number): Widths {
  const widths = entryOf(dictionary, 'W');
  const items = isArray(widths) ? widths.items : [];
  const [type, second, third] = items;
  if (!isIndex(type) || !isIndex(second) || !isIndex(third) || Math.max(type, second, third) > 8) {
    throw damaged('a cross-reference stream has malformed widths', at);
  }
  return [type, second, third];
}

function readRanges(dictionary: PdfDictionary, at: number): readonly Range[] {
  const index = entryOf(dictionary, 'Index');
  const size = entryOf(dictionary, 'Size');
  const numbers = isArray(index) ? index.items : [0, size ?? null];
  const ranges: Range[] = [];
  let row = 0;
  for (let position = 0; position + 1 < numbers.length; position += 2) {
    const first = numbers[position];
    const count = numbers[position + 1];
    if (!isIndex(first) || !isIndex(count)) {
      throw damaged('a cross-reference stream has a malformed index', at);
    }
    ranges.push({ first, count, row });
    row += count;
  }
  return ranges;
}

/** Table 18 of ISO 32000-2: types 0 free, 1 at an offset, 2 in an object stream. */
function readRow(data: Uint8Array, widths: Widths, row: number): XrefEntry | undefined {
  const start = row * (widths[0] + widths[1] + widths[2]);
  if (start + widths[0] + widths[1] + widths[2] > data.length) return undefined;
  const type = widths[0] === 0 ? 1 : bigEndian(data, start, widths[0]);
  const second = bigEndian(data, start + widths[0], widths[1]);
  const third = bigEndian(data, start + widths[0] + widths[1], widths[2]);
  if (type === 1) return { type: 'offset', offset: second, generation: third };
  if (type === 2) return { type: 'compressed', container: second, index: third };
  return { type: 'free' };
}

function bigEndian(data: Uint8Array, start: number, width: number): number {
  let value = 0;
  for (let index = start; index < start + width; index += 1)
    value = value * 256 + (data[index] ?? 0);
  return value;
}
