import { deflateSync } from 'node:zlib';

/** Object texts (Latin-1, streams included) by number. */
export type FixtureObjects = ReadonlyMap<number, string>;

/** How to write them down. */
export interface FixtureOptions {
  readonly form?: 'table' | 'stream' | 'hybrid';
  readonly version?: string;
  /** What stands before `%PDF-`. */
  readonly leading?: string;
  /** Trailer entries beside `/Size`; `/Root 1 0 R` by default. */
  readonly trailer?: string;
  /** Objects to put into an object stream, for the forms that have one. */
  readonly compressed?: readonly number[];
  readonly generations?: ReadonlyMap<number, number>;
  /** Whether a PNG predictor goes on the cross-reference stream. */
  readonly predictor?: boolean;
}

/** A stream object's text; `entries` are those beside `/Length`. */
export function streamText(data: Uint8Array | string, entries = ''): string {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data);
  return `<< /Length ${bytes.length} ${entries}>>\nstream\n${bytes.toString('latin1')}\nendstream`;
}

/** A stream object's text, its data deflated. */
export function deflatedText(data: string, entries = ''): string {
  return streamText(deflateSync(Buffer.from(data, 'latin1')), `/Filter /FlateDecode ${entries}`);
}

/** A whole new file. */
export function writePdf(objects: FixtureObjects, options: FixtureOptions = {}): Buffer {
  const { leading = '', version = '1.7' } = options;
  const head = Buffer.from(`${leading}%PDF-${version}\n%\xe2\xe3\xcf\xd3\n`, 'latin1');
  return Buffer.concat([head, revision(head.length - leading.length, objects, options)]);
}

/** The file with one more revision, made without the library under test. */
export function appendRevision(
  file: Uint8Array,
  objects: FixtureObjects,
  options: FixtureOptions = {},
): Buffer {
  const text = Buffer.from(file).toString('latin1');
  const previous = /startxref\s+(\d+)\s+%%EOF\s*$/.exec(text)?.[1] ?? '0';
  const size = Math.max(...[...text.matchAll(/\/Size (\d+)/g)].map((match) => Number(match[1])));
  const trailer = `${options.trailer ?? '/Root 1 0 R'} /Prev ${previous}`;
  return Buffer.concat([file, revision(file.length, objects, { ...options, trailer }, size)]);
}

function revision(
  start: number,
  objects: FixtureObjects,
  options: FixtureOptions,
  minimumSize = 0,
): Buffer {
  const { form = 'table', trailer = '/Root 1 0 R' } = options;
  const body = new Body(start, options);
  const compressed = new Set(form === 'table' ? [] : options.compressed);
  for (const [number, text] of objects) if (!compressed.has(number)) body.write(number, text);
  let size = Math.max(minimumSize, Math.max(...objects.keys()) + 1);
  if (compressed.size > 0) body.writeObjectStream(size++, [...compressed], objects);
  if (form === 'stream') {
    const at = body.writeXrefStream(size, `${trailer} `);
    return body.end(at);
  }
  let hybrid = '';
  if (form === 'hybrid') hybrid = ` /XRefStm ${body.writeXrefStream(size++, '')}`;
  return body.end(body.writeTable(size, trailer + hybrid, minimumSize === 0));
}

type Row = readonly [type: number, second: number, third: number];

class Body {
  readonly #start: number;
  readonly #options: FixtureOptions;
  readonly #rows = new Map<number, Row>();
  #text = '';

  constructor(start: number, options: FixtureOptions) {
    this.#start = start;
    this.#options = options;
  }

  write(number: number, text: string): number {
    const offset = this.#start + this.#text.length;
    const generation = this.#options.generations?.get(number) ?? 0;
    this.#rows.set(number, [1, offset, generation]);
    this.#text += `${number} ${generation} obj\n${text}\nendobj\n`;
    return offset;
  }

  writeObjectStream(number: number, members: readonly number[], objects: FixtureObjects): void {
    let index = '';
    let data = '';
    members.forEach((member, position) => {
      index += `${member} ${data.length} `;
      data += `${objects.get(member) ?? 'null'}\n`;
      this.#rows.set(member, [2, number, position]);
    });
    const entries = `/Type /ObjStm /N ${members.length} /First ${index.length} `;
    this.write(number, deflatedText(index + data, entries));
  }

  writeXrefStream(number: number, trailer: string): number {
    const offset = this.#start + this.#text.length;
    const rows = new Map<number, Row>([[0, [0, 0, 65_535]], ...this.#rows]);
    rows.set(number, [1, offset, 0]);
    const sorted = [...rows].sort(([a], [b]) => a - b);
    const lines = sorted.map(([, [type, second, third]]) => {
      const line = Buffer.alloc(7);
      line.writeUInt8(type, 0);
      line.writeUInt32BE(second, 1);
      line.writeUInt16BE(third, 5);
      return line;
    });
    const { predictor = false } = this.#options;
    const data = predictor ? pngUp(lines) : Buffer.concat(lines);
    const parameters = predictor ? '/DecodeParms << /Predictor 12 /Columns 7 >> ' : '';
    const index = sorted.map(([row]) => `${row} 1`).join(' ');
    const entries = `/Type /XRef /Size ${number + 1} /W [1 4 2] /Index [${index}] ${trailer}`;
    const deflated = deflateSync(data);
    this.write(number, streamText(deflated, `/Filter /FlateDecode ${parameters}${entries}`));
    return offset;
  }

  writeTable(size: number, trailer: string, whole: boolean): number {
    const offset = this.#start + this.#text.length;
    const line = (row: Row | undefined): string =>
      row?.[0] === 1
        ? `${String(row[1]).padStart(10, '0')} ${String(row[2]).padStart(5, '0')} n \n`
        : '0000000000 65535 f \n';
    this.#text += 'xref\n';
    // Hidden objects of a hybrid file are left out: readers differ on such entries marked free.
    if (whole) this.#text += `0 1\n${line(undefined)}`;
    const inUse = [...this.#rows].filter(([, [type]]) => type === 1).sort(([a], [b]) => a - b);
    for (const [number, row] of inUse) this.#text += `${number} 1\n${line(row)}`;
    this.#text += `trailer\n<< /Size ${size} ${trailer} >>\n`;
    return offset;
  }

  end(xref: number): Buffer {
    return Buffer.from(`${this.#text}startxref\n${xref}\n%%EOF\n`, 'latin1');
  }
}

/** PNG filter 2 on every row (PNG specification, 9.2). */
function pngUp(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(
    lines.map((line, row) => {
      const above = lines[row - 1];
      const filtered = line.map((byte, column) => byte - (above?.[column] ?? 0));
      return Buffer.concat([Buffer.from([2]), filtered]);
    }),
  );
}

/** Objects of the least document with one page: 1 catalog, 2 pages, 3 page, 4 content, 5 font. */
export function onePage(changes: Readonly<Record<number, string>> = {}): Map<number, string> {
  const objects = new Map([
    [1, '<< /Type /Catalog /Pages 2 0 R >>'],
    [2, '<< /Type /Pages /Kids [3 0 R] /Count 1 >>'],
    [
      3,
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R' +
        ' /Resources << /Font << /F1 5 0 R >> >> >>',
    ],
    [4, streamText('BT /F1 18 Tf 40 100 Td (Hello) Tj ET')],
    [5, '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'],
  ]);
  for (const [number, text] of Object.entries(changes)) objects.set(Number(number), text);
  return objects;
}
