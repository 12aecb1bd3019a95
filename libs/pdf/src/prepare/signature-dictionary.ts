import { serializeDate, serializeTextString } from './serialize.ts';

/** What a signature says about itself (ISO 32000-2, table 255). Texts are any Unicode. */
export interface SignatureFacts {
  /** Claimed time of signing, written as `/M` in UTC to the second. */
  readonly signingTime: Date;
  readonly reason?: string | undefined;
  readonly location?: string | undefined;
  readonly contactInfo?: string | undefined;
  readonly name?: string | undefined;
}

/** Digits for each offset in `/ByteRange`: enough for files up to 10 GB. */
const OFFSET_DIGITS = 10;
const BYTE_RANGE_WIDTH = 4 + 3 * OFFSET_DIGITS;

/** The value of `/ByteRange`, padded so that its length does not depend on the offsets. */
export function serializeByteRange(byteRange: readonly number[]): string {
  return `[${byteRange.join(' ')}]`.padEnd(BYTE_RANGE_WIDTH + 2);
}

/** A PAdES signature dictionary with places kept for its byte range and CMS (ETSI EN 319 142-1, 6.3). */
export interface SignatureDictionary {
  readonly text: string;
  /** Where in `text` the array of {@link serializeByteRange} belongs. */
  readonly byteRangeAt: number;
  /** Where in `text` the `<` of `/Contents` is. */
  readonly contentsAt: number;
}

export function signatureDictionary(
  facts: SignatureFacts,
  contentsBytes: number,
): SignatureDictionary {
  const texts = [
    ['Name', facts.name],
    ['Reason', facts.reason],
    ['Location', facts.location],
    ['ContactInfo', facts.contactInfo],
  ] as const;
  let text = '<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached';
  text += ` /M ${serializeDate(facts.signingTime)}`;
  for (const [key, value] of texts) {
    if (value !== undefined) text += ` /${key} ${serializeTextString(value)}`;
  }
  text += ' /ByteRange ';
  const byteRangeAt = text.length;
  text += `${serializeByteRange([0, 0, 0, 0])} /Contents `;
  const contentsAt = text.length;
  return { text: `${text}<${'00'.repeat(contentsBytes)}> >>`, byteRangeAt, contentsAt };
}
