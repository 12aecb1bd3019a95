/**
 * A writer of DER (ITU-T X.690 section 10): definite minimal lengths, SET OF sorted. Each function
 * takes contents and returns one whole element (tag, length, contents).
 */

/** Identifier octets of the universal types used here (X.680 section 8.4), constructed bit included. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Concatenates byte strings. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Number of octets in the header (identifier and length) of an element with so many content octets. */
export function headerLength(contentLength: number): number {
  let length = 2;
  if (contentLength > 0x7f) for (let rest = contentLength; rest > 0; rest >>>= 8) length++;
  return length;
}

/** One element: `tag` is the single identifier octet. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  let contentLength = 0;
  for (const part of contents) contentLength += part.length;
  const header = headerLength(contentLength);
  const whole = new Uint8Array(header + contentLength);
  whole[0] = tag;
  if (header === 2) whole[1] = contentLength;
  else {
    whole[1] = 0x80 | (header - 2);
    for (let at = header - 1, rest = contentLength; at > 1; at--, rest >>>= 8)
      whole[at] = rest & 0xff;
  }
  let offset = header;
  for (const part of contents) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export function sequence(...contents: readonly Uint8Array[]): Uint8Array {
  return element(derTag.sequence, ...contents);
}

/** Orders the elements of a SET OF as DER demands (X.690 section 11.6). */
export function sortSetOf(elements: readonly Uint8Array[]): Uint8Array[] {
  return [...elements].sort((left, right) => Buffer.compare(left, right));
}

export function setOf(...elements: readonly Uint8Array[]): Uint8Array {
  return element(derTag.set, ...sortSetOf(elements));
}

export function octetString(bytes: Uint8Array): Uint8Array {
  return element(derTag.octetString, bytes);
}

/** A non-negative INTEGER from its big-endian magnitude, of any length, leading zeros allowed. */
export function unsignedInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = magnitude.subarray(start);
  const first = digits[0] ?? 0;
  if (digits.length === 0 || first > 0x7f) return element(derTag.integer, Uint8Array.of(0), digits);
  return element(derTag.integer, digits);
}

/** A BIT STRING of whole octets. */
export function bitString(octets: Uint8Array): Uint8Array {
  return element(derTag.bitString, Uint8Array.of(0), octets);
}

/** An OBJECT IDENTIFIER from dotted decimals, arcs below 2^31. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let high = arc >>> 7; high > 0; high >>>= 7) groups.unshift((high & 0x7f) | 0x80);
    octets.push(...groups);
  }
  return element(derTag.objectIdentifier, Uint8Array.from(octets));
}

export const derNull: Uint8Array = element(derTag.null);
