import { describe, expect, it } from 'vitest';

import { assertDer, decodeObjectIdentifier, DerReader, readDer } from '../src/der-reader.ts';
import {
  element,
  headerLength,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  unsignedInteger,
} from '../src/der.ts';
import { PkiError } from '../src/error.ts';
import { seededRandom } from './random.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

describe('the DER writer', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 16_777_216])(
    'gives a minimal length to %i octets that the reader reads back',
    (length) => {
      const written = octetString(new Uint8Array(length));
      expect(written.length).toBe(headerLength(length) + length);
      expect(readDer(written, 0x04).contents.length).toBe(length);
    },
  );

  it.each([
    ['00', '020100'],
    ['', '020100'],
    ['7f', '02017f'],
    ['80', '02020080'],
    ['000000ff', '020200ff'],
    ['0100', '02020100'],
  ])('writes the magnitude %s as a minimal positive INTEGER', (magnitude, expected) => {
    expect(Buffer.from(unsignedInteger(hex(magnitude))).toString('hex')).toBe(expected);
  });

  it.each([
    ['1.2.840.113549.1.7.2', '06092a864886f70d010702'],
    ['2.16.840.1.101.3.4.2.1', '0609608648016503040201'],
    ['2.5.29.15', '0603551d0f'],
    ['2.999.3', '0603883703'],
    ['0.9.2342.19200300.100.1.25', '060a0992268993f22c640119'],
  ])('writes and reads the OBJECT IDENTIFIER %s', (dotted, expected) => {
    const written = objectIdentifier(dotted);
    expect(Buffer.from(written).toString('hex')).toBe(expected);
    expect(decodeObjectIdentifier(readDer(written, 0x06).contents)).toBe(dotted);
  });

  it('sorts a SET OF whatever the order given', () => {
    const elements = [
      hex('0403ffffff'),
      hex('020101'),
      hex('0401ff'),
      hex('0400'),
      hex('02020080'),
    ];
    const sorted = Buffer.from(setOf(...elements)).toString('hex');
    expect(sorted).toBe('3111' + '020101' + '02020080' + '0400' + '0401ff' + '0403ffffff');
    expect(Buffer.from(setOf(...elements.reverse())).toString('hex')).toBe(sorted);
  });

  it('writes what the reader takes apart again, for random trees', () => {
    const random = seededRandom(7);
    const grow = (depth: number): Uint8Array => {
      if (depth === 0 || random() < 0.3)
        return octetString(new Uint8Array(Math.floor(random() * 300)));
      const children = Array.from({ length: Math.floor(random() * 5) }, () => grow(depth - 1));
      return random() < 0.5 ? sequence(...children) : setOf(...children);
    };
    const rewrite = ({ tag, contents }: { tag: number; contents: Uint8Array }): Uint8Array =>
      tag === 0x04
        ? element(tag, contents)
        : element(tag, ...new DerReader(contents).rest().map(rewrite));
    for (let round = 0; round < 200; round++) {
      const tree = grow(5);
      assertDer(tree);
      expect(Buffer.compare(rewrite(readDer(tree)), tree)).toBe(0);
    }
  });
});

describe('the DER reader', () => {
  it.each([
    ['nothing', ''],
    ['a lone identifier', '30'],
    ['a length beyond the end', '3003020101ff'.slice(0, 8)],
    ['trailing octets', '040000'],
    ['an indefinite length', '30800000'],
    ['a long length form for a short length', '04810100'],
    ['a length with leading zero', '0482000100'],
    ['a length of five octets', '0485010000000000'],
    ['the reserved length octet', '04ff00'],
    ['a child longer than its parent', '30030403000000'],
    ['a multi-octet identifier', '1f8101020000'],
    ['end-of-contents octets', '30020000'],
    ['a BOOLEAN that is neither true nor false', '010101'],
    ['an INTEGER with a redundant zero', '02020001'],
    ['an INTEGER with a redundant one', '0202ff80'],
    ['an empty INTEGER', '0200'],
    ['a NULL with contents', '050100'],
    ['an empty BIT STRING without its count', '0300'],
    ['a BIT STRING with unused bits set', '03020101'],
    ['a BIT STRING with eight unused bits', '03020800'],
    ['an empty OBJECT IDENTIFIER', '0600'],
    ['an OBJECT IDENTIFIER cut short', '06022a86'],
    ['an OBJECT IDENTIFIER with padding', '06032a8001'],
    ['a constructed OCTET STRING', '2403040100'],
    ['a primitive SEQUENCE', '1003020101'],
  ])('refuses %s', (_, text) => {
    expect(() => assertDer(hex(text))).toThrow(PkiError);
  });

  it('refuses nesting deeper than 32 without recursing', () => {
    let bomb: Uint8Array = sequence();
    for (let depth = 1; depth < 32; depth++) bomb = sequence(bomb);
    assertDer(bomb);
    expect(() => assertDer(sequence(bomb))).toThrow('nested too deeply');
    const deep = new Uint8Array(1_000_000).fill(0x30);
    expect(() => assertDer(deep)).toThrow(PkiError);
  });

  it('tells what it expected and where', () => {
    const reader = new DerReader(hex('0201010400'));
    reader.next(0x02);
    expect(() => reader.next(0x30)).toThrow(
      expect.objectContaining({ code: 'malformed_der', details: { offset: 3 } }),
    );
    expect(() => reader.end()).toThrow(PkiError);
    expect(reader.optional(0x02)).toBeUndefined();
    expect(reader.optional(0x04)?.contents.length).toBe(0);
    reader.end();
  });
});
