import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeStream } from '../src/reader/decode-stream.ts';
import { openDocument } from '../src/reader/document-reader.ts';
import { firstPage } from '../src/reader/first-page.ts';
import { parseIndirectObject } from '../src/reader/parse-indirect-object.ts';
import { isReference, isStream } from '../src/reader/pdf-value.ts';
import { undoPredictor } from '../src/reader/predictor.ts';
import { decodeTextString, encodeTextString } from '../src/reader/text-string.ts';
import { deflatedText, onePage, streamText, writePdf } from './pdf-fixture.ts';

/** Decodes the stream that is the only object of the text. */
function decode(text: string): string {
  const bytes = Buffer.from(`1 0 obj\n${text}\nendobj`, 'latin1');
  const { value } = parseIndirectObject(bytes, 0);
  if (!isStream(value)) throw new Error('not a stream');
  const resolve = (item: unknown) => (isReference(item as never) ? null : (item ?? null));
  return Buffer.from(decodeStream(value, { bytes, resolve: resolve as never })).toString('latin1');
}

describe('streams', () => {
  it('decodes none, one and two filters', () => {
    expect(decode(streamText('plain'))).toBe('plain');
    expect(decode(deflatedText('once'))).toBe('once');
    const twice = deflateSync(deflateSync(Buffer.from('twice')));
    expect(decode(streamText(twice, '/Filter [/FlateDecode /Fl] '))).toBe('twice');
  });

  it('finds the end where the length is wrong or indirect', () => {
    expect(decode('<< /Length 1 >>\nstream\nabc\nendstream')).toBe('abc\n');
    expect(decode('<< /Length 9 0 R >>\nstream\nabc\nendstream')).toBe('abc\n');
    expect(decode('<< /Length 99999 >>\nstream\nabc\nendstream')).toBe('abc\n');
  });

  it('yields what can be read of a deflate stream cut short', () => {
    const data = 'many words '.repeat(500);
    const cut = deflateSync(Buffer.from(data)).subarray(0, -8);
    const decoded = decode(streamText(cut, '/Filter /FlateDecode '));
    expect(decoded.length).toBeGreaterThan(100);
    expect(data.startsWith(decoded)).toBe(true);
  });

  it('refuses garbage and foreign filters', () => {
    for (const entries of ['/Filter /FlateDecode ', '/Filter /LZWDecode ']) {
      expect(() => decode(streamText('garbage', entries))).toThrow(
        expect.objectContaining({ code: 'damaged' }),
      );
    }
  });
});

describe('predictors', () => {
  const parameters = { predictor: 15, colors: 1, bitsPerComponent: 8, columns: 3 };
  it.each([
    ['none', [0, 1, 2, 3], [1, 2, 3]],
    ['sub', [1, 1, 1, 1], [1, 2, 3]],
    ['up', [0, 1, 2, 3, 2, 1, 1, 1], [1, 2, 3, 2, 3, 4]],
    ['average', [0, 2, 4, 6, 3, 1, 1, 1], [2, 4, 6, 2, 4, 6]],
    ['Paeth', [0, 1, 2, 3, 4, 1, 1, 1], [1, 2, 3, 2, 3, 4]],
  ])('PNG %s', (_name, data, expected) => {
    expect([...undoPredictor(Uint8Array.from(data), parameters)]).toEqual(expected);
  });

  it('TIFF', () => {
    const tiff = { ...parameters, predictor: 2 };
    expect([...undoPredictor(Uint8Array.from([1, 1, 1, 5, 1, 1]), tiff)]).toEqual([
      1, 2, 3, 5, 6, 7,
    ]);
  });

  it('refuses impossible parameters', () => {
    const impossible = { ...parameters, columns: 2 ** 50 };
    expect(() => undoPredictor(new Uint8Array(10), impossible)).toThrow(
      expect.objectContaining({ code: 'damaged' }),
    );
  });
});

describe('documents', () => {
  it('reads the objects that a hybrid table marks free from its stream', () => {
    const file = writePdf(onePage(), { form: 'hybrid', compressed: [3, 5] }).toString('latin1');
    const free = file.replace(/^4 1\n/m, '3 1\n0000000000 65535 f \n4 1\n');
    const moved = Buffer.from(free, 'latin1');
    expect(firstPage(openDocument(moved)).object).toMatchObject({ objectNumber: 3, container: 6 });
  });

  it('takes a table numbered from 1 for one from 0', () => {
    const entries = writePdf(onePage()).toString('latin1');
    const body = entries.slice(entries.indexOf('xref\n') + 5, entries.indexOf('trailer'));
    const lines = body.match(/^\d{10} .*\n/gm) ?? [];
    const table = `1 ${lines.length}\n${lines.join('')}`;
    const file = Buffer.from(
      entries.replace(body, () => table),
      'latin1',
    );
    expect(firstPage(openDocument(file)).object.objectNumber).toBe(3);
  });

  it('reads entries of 19 bytes', () => {
    const file = writePdf(onePage()).toString('latin1');
    const narrow = Buffer.from(file.replace(/ n \n/g, ' n\n').replace(/ f \n/g, ' f\n'), 'latin1');
    expect(firstPage(openDocument(narrow)).object.objectNumber).toBe(3);
  });

  it('descends page trees, past empty branches and loops', () => {
    const objects = onePage({
      2: '<< /Type /Pages /Kids [6 0 R 7 0 R 3 0 R] /Count 1 >>',
      6: '<< /Type /Pages /Kids [] /Count 0 >>',
      7: '<< /Type /Pages /Kids [2 0 R 7 0 R] >>',
    });
    expect(firstPage(openDocument(writePdf(objects))).object.objectNumber).toBe(3);
  });

  it('resolves chains of references, and loops to null', () => {
    const objects = onePage({ 6: '7 0 R', 7: '8 0 R', 8: '(end)', 9: '10 0 R', 10: '9 0 R' });
    const reader = openDocument(writePdf(objects));
    const to = (objectNumber: number) =>
      reader.resolve({ type: 'reference', objectNumber, generation: 0 });
    expect(to(6)).toMatchObject({ type: 'string' });
    expect(to(9)).toBeNull();
    expect(to(77)).toBeNull();
  });

  it('names the object that another stands in for', () => {
    const file = writePdf(onePage())
      .toString('latin1')
      .replace(/^3 0 obj/m, '8 0 obj');
    expect(() => firstPage(openDocument(Buffer.from(file, 'latin1')))).toThrow(
      expect.objectContaining({
        code: 'damaged',
        details: expect.objectContaining({ objectNumber: 3 }) as unknown,
      }),
    );
  });
});

describe('text strings', () => {
  it.each(['plain', 'Malmö', '€ – “x” ﬁ Ł', 'line\nline', '承認', '👍 ok', 'þÿ', 'ï»¿', ''])(
    'round trip of %j',
    (text) => {
      expect(decodeTextString(encodeTextString(text))).toBe(text);
    },
  );

  it('uses one byte a char where the encoding has them all', () => {
    expect(encodeTextString('€ Malmö')).toHaveLength(7);
    expect(encodeTextString('\u00ad')).toHaveLength(4);
  });

  it('reads UTF-8 by its mark', () => {
    expect(decodeTextString(Buffer.from('\uFEFFGrüße', 'utf8'))).toBe('Grüße');
  });
});
