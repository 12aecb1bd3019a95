import { describe, expect, it } from 'vitest';
import { Lexer } from '../src/reader/lexer.ts';
import { parseIndirectObject } from '../src/reader/parse-indirect-object.ts';
import { parseValue } from '../src/reader/parse-value.ts';
import type { PdfValue } from '../src/reader/pdf-value.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
const parse = (text: string): PdfValue => parseValue(new Lexer(bytesOf(text)));

/** A string's content as text, whatever its form. */
function content(text: string): string {
  const value = parse(text);
  if (typeof value !== 'object' || value?.type !== 'string') throw new Error('not a string');
  return Buffer.from(value.bytes).toString('latin1');
}

describe('scalars', () => {
  it.each([
    ['0', 0],
    ['+17', 17],
    ['-98', -98],
    ['34.5', 34.5],
    ['-.002', -0.002],
    ['4.', 4],
    ['--5', -5],
    ['12-3', 12],
    ['.', 0],
    ['true', true],
    ['false', false],
    ['null', null],
    ['% a comment\n 7', 7],
  ])('%s', (text, value) => {
    expect(parse(text)).toBe(value);
  });

  it('names', () => {
    expect(parse('/Name1 ')).toMatchObject({ name: 'Name1' });
    expect(parse('/A#20B#zz#')).toMatchObject({ name: 'A B#zz#' });
    expect(parse('/')).toMatchObject({ name: '' });
    expect(parse('/A/B')).toMatchObject({ name: 'A' });
  });

  it('refuses unknown words with their offset', () => {
    expect(() => parse('  frob')).toThrow(
      expect.objectContaining({ code: 'damaged', details: { offset: 2 } }),
    );
  });
});

describe('strings', () => {
  it.each([
    ['(simple)', 'simple'],
    ['(nested (one) two)', 'nested (one) two'],
    ['(a\\nb\\rc\\td\\be\\ff)', 'a\nb\rc\td\be\ff'],
    ['(\\(\\)\\\\)', '()\\'],
    ['(\\101\\60\\0001\\7)', 'A0\x001\x07'],
    ['(line\\\r\ncontinued)', 'linecontinued'],
    ['(line\r\nend\rend)', 'line\nend\nend'],
    ['(\\q)', 'q'],
    ['()', ''],
    ['<48 65\n6C6c6F>', 'Hello'],
    ['<4>', '@'],
    ['<>', ''],
  ])('%s', (text, expected) => {
    expect(content(text)).toBe(expected);
  });

  it.each(['(never', '<4142', '(a\\'])('refuses %s, which does not end', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'damaged' }));
  });
});

describe('containers', () => {
  it('tells references from integers', () => {
    expect(parse('[1 2 R 3 4 5 0 R 6]')).toMatchObject({
      items: [
        { type: 'reference', objectNumber: 1, generation: 2 },
        3,
        4,
        { type: 'reference', objectNumber: 5, generation: 0 },
        6,
      ],
    });
    expect(parse('[1 0 RG]'.replace('RG', 'R/G'))).toMatchObject({
      items: [{ type: 'reference' }, { type: 'name' }],
    });
  });

  it('records where the values are', () => {
    const text = ' <</A 1/B[2 0 R]/C<</D(x)>>/E>>';
    const value = parse(text);
    if (typeof value !== 'object' || value?.type !== 'dictionary') throw new Error('not that');
    expect(text.slice(value.start, value.end)).toBe(text.trim());
    const places = [...value.entries].map(([key, { start, end }]) => [key, text.slice(start, end)]);
    expect(places).toEqual([
      ['A', '1'],
      ['B', '[2 0 R]'],
      ['C', '<</D(x)>>'],
      ['E', ''],
    ]);
  });

  it.each(['[1 2', '<< /A 1', '<< 1 2 >>', '<< /A << >>'])('refuses %s', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'damaged' }));
  });
});

describe('indirect objects', () => {
  it('reads number, generation and value', () => {
    const bytes = bytesOf('junk 12 3 obj<</A 1>>endobj');
    expect(parseIndirectObject(bytes, 5)).toMatchObject({ objectNumber: 12, generation: 3 });
    expect(() => parseIndirectObject(bytes, 0)).toThrow(
      expect.objectContaining({ code: 'damaged', details: { offset: 0 } }),
    );
  });

  it('finds the data of a stream after either end of line', () => {
    for (const newline of ['\n', '\r\n']) {
      const text = `1 0 obj << /Length 2 >>\nstream${newline}xy\nendstream`;
      expect(parseIndirectObject(bytesOf(text), 0).value).toMatchObject({
        type: 'stream',
        dataStart: text.indexOf('xy'),
      });
    }
  });

  it('reads an empty object as null', () => {
    expect(parseIndirectObject(bytesOf('1 0 obj endobj'), 0).value).toBeNull();
  });
});
