import { PdfError } from '../error.ts';
import { isDigit, isRegular, isWhiteSpace } from './character.ts';
import { damaged, Lexer } from './lexer.ts';
import { openObjectStream } from './object-stream.ts';
import { parseIndirectObject } from './parse-indirect-object.ts';
import { parseValue } from './parse-value.ts';
import {
  dictionaryOf,
  entryOf,
  isDictionary,
  isIndex,
  isName,
  isReference,
  isStream,
  type IndirectObject,
  type PdfDictionary,
  type PdfValue,
} from './pdf-value.ts';
import type { XrefChain } from './read-xref.ts';
import type { XrefEntry } from './xref-section.ts';

interface Trailer {
  readonly dictionary: PdfDictionary;
  readonly bytes: Uint8Array;
}

/** What one scan over the file finds. */
interface Scan {
  readonly entries: Map<number, XrefEntry>;
  readonly trailers: Trailer[];
  readonly containers: IndirectObject[];
  readonly catalogs: IndirectObject[];
}

/**
 * Rebuilds the cross-reference from the objects themselves: the last definition of a number wins.
 * Throws `damaged` when no catalog can be found.
 */
export function recoverXref(bytes: Uint8Array, header: number): XrefChain {
  const scan: Scan = { entries: new Map(), trailers: [], containers: [], catalogs: [] };
  scanObjects(bytes, header, scan);
  const resolve = (value: PdfValue | undefined): PdfValue => {
    const entry = isReference(value) ? scan.entries.get(value.objectNumber) : undefined;
    if (!isReference(value)) return value ?? null;
    return entry?.type === 'offset'
      ? parseIndirectObject(bytes, header + entry.offset).value
      : null;
  };
  for (const container of scan.containers) addCompressed(container, scan, { bytes, resolve });
  const trailer = chooseTrailer(scan);
  const { entries } = scan;
  const section = {
    kind: 'recovered',
    offset: 0,
    trailer: trailer.dictionary,
    trailerBytes: trailer.bytes,
    highestObjectNumber: [...entries.keys()].reduce((a, b) => Math.max(a, b), 0),
    find: (objectNumber: number) => entries.get(objectNumber),
  } as const;
  return { origin: header, sections: [section] };
}

function scanObjects(bytes: Uint8Array, header: number, scan: Scan): void {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nextOf = (word: string, from: number): number => {
    const at = view.indexOf(word, from, 'latin1');
    return at < 0 ? bytes.length : at;
  };
  let object = nextOf('obj', header);
  let trailer = nextOf('trailer', header);
  while (object < bytes.length || trailer < bytes.length) {
    if (trailer < object) {
      addTrailer(bytes, trailer + 7, scan);
      trailer = nextOf('trailer', trailer + 7);
      continue;
    }
    const start = objectStart(bytes, object);
    const end = start === undefined ? object + 3 : addObject(bytes, start, header, scan);
    object = nextOf('obj', Math.max(end, object + 3));
    if (trailer < end) trailer = nextOf('trailer', end);
  }
}

/** Where `n g` before an `obj` keyword begins; undefined for `endobj` and chance matches. */
function objectStart(bytes: Uint8Array, keyword: number): number | undefined {
  let at = keyword;
  for (let part = 0; part < 2; part += 1) {
    const afterSpace = at;
    while (isWhiteSpace(bytes[at - 1])) at -= 1;
    if (at === afterSpace && part === 1) return undefined;
    const afterDigits = at;
    while (isDigit(bytes[at - 1]) && afterDigits - at < 10) at -= 1;
    if (at === afterDigits) return undefined;
  }
  return isRegular(bytes[at - 1]) && !isDigit(bytes[at - 1]) && !endsKeyword(bytes, at)
    ? undefined
    : at;
}

/** `endobj12 0 obj`, without white space between, occurs in real files. */
function endsKeyword(bytes: Uint8Array, at: number): boolean {
  return at >= 6 && new Lexer(bytes.subarray(at - 6, at)).accept('endobj');
}

/** Registers the object that begins at `start`; returns where to go on scanning. */
function addObject(bytes: Uint8Array, start: number, header: number, scan: Scan): number {
  const object = tolerate(() => parseIndirectObject(bytes, start));
  if (object === undefined) return start;
  const { objectNumber, generation, value } = object;
  scan.entries.set(objectNumber, { type: 'offset', offset: start - header, generation });
  const dictionary = dictionaryOf(value);
  const type = dictionary === undefined ? undefined : entryOf(dictionary, 'Type');
  if (dictionary !== undefined && isName(type)) {
    if (type.name === 'XRef') scan.trailers.push({ dictionary, bytes });
    if (type.name === 'ObjStm') scan.containers.push(object);
    if (type.name === 'Catalog') scan.catalogs.push(object);
  }
  return isStream(value) ? streamEnd(bytes, value.dataStart, value.dictionary) : object.end;
}

/** After the stream's data, so that what looks like objects inside it is not taken for some. */
function streamEnd(bytes: Uint8Array, dataStart: number, dictionary: PdfDictionary): number {
  const length = entryOf(dictionary, 'Length');
  if (isIndex(length) && new Lexer(bytes, dataStart + length).accept('endstream')) {
    return dataStart + length;
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = view.indexOf('endstream', dataStart, 'latin1');
  return end < 0 ? dataStart : end;
}

function addTrailer(bytes: Uint8Array, at: number, scan: Scan): void {
  const dictionary = tolerate(() => parseValue(new Lexer(bytes, at)));
  if (isDictionary(dictionary)) scan.trailers.push({ dictionary, bytes });
}

function addCompressed(
  container: IndirectObject,
  scan: Scan,
  context: Parameters<typeof openObjectStream>[2],
): void {
  const { value, objectNumber, start } = container;
  const current = scan.entries.get(objectNumber);
  if (!isStream(value) || current?.type !== 'offset') return;
  const stream = tolerate(() => openObjectStream(value, objectNumber, context));
  stream?.objectNumbers.forEach((number, index) => {
    const known = scan.entries.get(number);
    // An uncompressed definition after the container is newer than what the container holds.
    if (known?.type === 'offset' && known.offset > start) return;
    scan.entries.set(number, { type: 'compressed', container: objectNumber, index });
    const object = tolerate(() => stream.object(number));
    const type = isDictionary(object?.value) ? entryOf(object.value, 'Type') : undefined;
    if (object !== undefined && isName(type) && type.name === 'Catalog') scan.catalogs.push(object);
  });
}

/** The last trailer whose catalog exists; else one made up for the last catalog found. */
function chooseTrailer(scan: Scan): Trailer {
  const found = scan.trailers.findLast(({ dictionary }) => {
    const root = entryOf(dictionary, 'Root');
    return isReference(root) && scan.entries.has(root.objectNumber);
  });
  if (found !== undefined) return found;
  const catalog = scan.catalogs.at(-1);
  if (catalog === undefined) throw damaged('no catalog can be found', 0);
  const bytes = Buffer.from(
    `<< /Root ${catalog.objectNumber} ${catalog.generation} R >>`,
    'latin1',
  );
  const dictionary = parseValue(new Lexer(bytes));
  if (!isDictionary(dictionary)) throw damaged('no catalog can be found', 0);
  return { dictionary, bytes };
}

/** What cannot be read is left out of a recovery; only this library's own errors mean that. */
function tolerate<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PdfError) return undefined;
    throw error;
  }
}
