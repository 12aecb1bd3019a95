import { derTag } from './der.ts';
import { PkiError } from './error.ts';

/** One element as it stands in the input; the byte arrays are views, not copies. */
export interface DerElement {
  /** The identifier octet. */
  readonly tag: number;
  /** Header and contents. */
  readonly bytes: Uint8Array;
  readonly contents: Uint8Array;
}

function malformed(reason: string, offset: number): PkiError {
  return new PkiError('malformed_der', `${reason} at offset ${offset}`, { details: { offset } });
}

/** Where the contents of the element at `offset` start and end, within `limit`. */
function span(bytes: Uint8Array, offset: number, limit: number): { start: number; end: number } {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined || offset + 2 > limit)
    throw malformed('element cut short', offset);
  if ((tag & 0x1f) === 0x1f) throw malformed('multi-octet identifier', offset);
  if (tag === 0) throw malformed('end-of-contents octets', offset);
  let start = offset + 2;
  let length = first;
  if (first > 0x7f) {
    const octets = first & 0x7f;
    if (octets === 0) throw malformed('indefinite length', offset);
    if (octets > 4) throw malformed('length beyond 4 GiB', offset);
    if (start + octets > limit) throw malformed('element cut short', offset);
    length = 0;
    for (let count = 0; count < octets; count++) length = length * 256 + (bytes[start++] ?? 0);
    if (length < 0x80 || length < 256 ** (octets - 1)) throw malformed('padded length', offset);
  }
  if (length > limit - start) throw malformed('element longer than its container', offset);
  return { start, end: start + length };
}

/**
 * Reads the elements of a constructed value one after the other, strictly DER: definite, minimal
 * lengths, nothing left over once `end()` has been called. Every failure is a PkiError
 * `malformed_der` with the offset in `details`.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(contents: Uint8Array) {
    this.#bytes = contents;
  }

  get done(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** The next element, which must have this tag if one is given. */
  next(tag?: number): DerElement {
    const offset = this.#offset;
    const { start, end } = span(this.#bytes, offset, this.#bytes.length);
    const found = this.#bytes[offset] ?? 0;
    if (tag !== undefined && found !== tag)
      throw malformed(`tag 0x${found.toString(16)} instead of 0x${tag.toString(16)}`, offset);
    this.#offset = end;
    return {
      tag: found,
      bytes: this.#bytes.subarray(offset, end),
      contents: this.#bytes.subarray(start, end),
    };
  }

  /** The next element if it has this tag. */
  optional(tag: number): DerElement | undefined {
    return this.#bytes[this.#offset] === tag ? this.next(tag) : undefined;
  }

  /** All that is left. */
  rest(): DerElement[] {
    const elements: DerElement[] = [];
    while (!this.done) elements.push(this.next());
    return elements;
  }

  end(): void {
    if (!this.done) throw malformed('unexpected element', this.#offset);
  }

  /** A reader of the contents of the next element. */
  enter(tag: number): DerReader {
    return new DerReader(this.next(tag).contents);
  }
}

/** Reads exactly one element that fills `bytes`. */
export function readDer(bytes: Uint8Array, tag?: number): DerElement {
  const reader = new DerReader(bytes);
  const only = reader.next(tag);
  reader.end();
  return only;
}

/** How deep elements may nest; certificates and CMS need about 15. */
const maxDepth = 32;

/** Rules of X.690 sections 8, 10 and 11 on the contents of universal primitive types. */
const primitiveRules: Readonly<Record<number, (contents: Uint8Array) => boolean>> = {
  [derTag.boolean]: (c) => c.length === 1 && (c[0] === 0x00 || c[0] === 0xff),
  [derTag.integer]: ([first, second]) =>
    first !== undefined &&
    (second === undefined ||
      !((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80))),
  [derTag.bitString]: (c) => {
    const unused = c[0];
    const last = c.length > 1 ? (c.at(-1) ?? 0) : 0;
    if (unused === undefined || unused > 7 || (c.length === 1 && unused > 0)) return false;
    return (last & ((1 << unused) - 1)) === 0;
  },
  [derTag.null]: (c) => c.length === 0,
  [derTag.objectIdentifier]: (c) =>
    c.length > 0 &&
    (c.at(-1) ?? 0x80) < 0x80 &&
    c.every((octet, at) => octet !== 0x80 || (at > 0 && (c[at - 1] ?? 0) >= 0x80)),
};

/**
 * Walks everything nested in `bytes`, without recursion, so that parsers that are lax or recursive
 * may be given it afterwards.
 *
 * @throws PkiError `malformed_der`, also for nesting deeper than 32.
 */
export function assertDer(bytes: Uint8Array): void {
  readDer(bytes);
  const ends: number[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    while (ends.length > 0 && offset === ends.at(-1)) ends.pop();
    const { start, end } = span(bytes, offset, ends.at(-1) ?? bytes.length);
    const tag = bytes[offset] ?? 0;
    const universal = (tag & 0xc0) === 0;
    const constructed = (tag & 0x20) !== 0;
    const mustBeConstructed = (tag & 0x1f) === 0x10 || (tag & 0x1f) === 0x11;
    if (universal && constructed !== mustBeConstructed)
      throw malformed('constructed string or primitive sequence', offset);
    if (universal && primitiveRules[tag]?.(bytes.subarray(start, end)) === false)
      throw malformed('value not in its distinguished encoding', offset);
    if (constructed) {
      ends.push(end);
      if (ends.length > maxDepth) throw malformed('nested too deeply', offset);
    }
    offset = constructed ? start : end;
  }
}

/** Dotted decimals of an OBJECT IDENTIFIER's contents. */
export function decodeObjectIdentifier(contents: Uint8Array): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of contents) {
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [joint = 0n, ...rest] = arcs;
  const first = joint < 80n ? joint / 40n : 2n;
  return [first, joint - first * 40n, ...rest].join('.');
}
