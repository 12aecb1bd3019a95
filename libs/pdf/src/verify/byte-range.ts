import { hexDigit } from '../reader/character.ts';
import {
  isArray,
  isIndex,
  isString,
  type PdfDictionary,
  type PdfValue,
} from '../reader/pdf-value.ts';
import type { ByteRange } from '../prepare.ts';
import type { SignatureCode } from './signature-report.ts';

/** A signature dictionary where it lies in a document. */
export interface PlacedSignature {
  readonly dictionary: PdfDictionary;
  /** What the dictionary's positions index. */
  readonly bytes: Uint8Array;
  /**
   * Position of `bytes` in the document; undefined when they are a decoded object stream, in which
   * no signature can be sound.
   */
  readonly base: number | undefined;
  /** Size of the document. */
  readonly size: number;
}

/** A byte range as read, and what is wrong with it. */
export interface ByteRangeFinding {
  readonly byteRange: ByteRange | undefined;
  readonly codes: readonly SignatureCode[];
}

/**
 * Reads `/ByteRange` and checks that it covers, from the first byte on, everything but exactly the
 * hexadecimal string of the same dictionary's `/Contents` (ISO 32000-2, 12.8.1). Whether it ends at
 * a revision's end is for the caller to judge.
 */
export function checkByteRange(placed: PlacedSignature, value: PdfValue): ByteRangeFinding {
  const byteRange = readByteRange(value);
  if (byteRange === undefined) return { byteRange, codes: ['byte_range_malformed'] };
  const [start, firstEnd, secondStart, secondLength] = byteRange;
  const codes: SignatureCode[] = [];
  if (start !== 0) codes.push('byte_range_not_from_start');
  const inOrder = firstEnd > 0 && firstEnd < secondStart;
  if (!inOrder || secondStart + secondLength > placed.size) codes.push('byte_range_out_of_bounds');
  else if (!gapIsContents(placed, byteRange)) codes.push('byte_range_gap_unsound');
  return { byteRange, codes };
}

function readByteRange(value: PdfValue): ByteRange | undefined {
  if (!isArray(value) || value.items.length !== 4) return undefined;
  const [a, b, c, d] = value.items;
  return isIndex(a) && isIndex(b) && isIndex(c) && isIndex(d) ? [a, b, c, d] : undefined;
}

function gapIsContents(placed: PlacedSignature, byteRange: ByteRange): boolean {
  const { dictionary, bytes, base } = placed;
  const contents = dictionary.entries.get('Contents');
  if (base === undefined || contents === undefined || !isString(contents.value)) return false;
  const [, firstEnd, secondStart, secondLength] = byteRange;
  const covered = base + dictionary.end <= secondStart + secondLength;
  if (contents.start + base !== firstEnd || contents.end + base !== secondStart || !covered) {
    return false;
  }
  if (bytes[contents.start] !== 0x3c || bytes[contents.end - 1] !== 0x3e) return false;
  // Only digits: anything else in the gap would be unsigned and yet part of the file.
  for (let index = contents.start + 1; index < contents.end - 1; index += 1) {
    if (hexDigit(bytes[index]) < 0) return false;
  }
  return true;
}
