import type { SignatureCode } from './signature-report.ts';

/** The CMS in `/Contents`, freed of its padding, or why there is none. */
export interface ContentsFinding {
  readonly cms: Uint8Array | undefined;
  readonly codes: readonly SignatureCode[];
}

/** Splits the value of `/Contents` into the DER element it begins with and its padding of zeros. */
export function readContents(contents: Uint8Array): ContentsFinding {
  const length = derLength(contents);
  if (length === undefined) return { cms: undefined, codes: ['contents_malformed'] };
  const padded = contents.subarray(length).every((byte) => byte === 0);
  return {
    cms: contents.subarray(0, length),
    codes: padded ? [] : ['contents_padding_not_zero'],
  };
}

/** Header and contents of the leading SEQUENCE (X.690, 8.1.3); undefined when it does not fit. */
function derLength(bytes: Uint8Array): number | undefined {
  const [tag, first] = bytes;
  if (tag !== 0x30 || first === undefined) return undefined;
  let length = first;
  let header = 2;
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count === 0 || count > 4) return undefined;
    length = 0;
    for (const byte of bytes.subarray(2, 2 + count)) length = length * 256 + byte;
    header += count;
  }
  return header + length <= bytes.length ? header + length : undefined;
}
