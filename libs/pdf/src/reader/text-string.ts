/** Chars of PDFDocEncoding that differ from Latin-1, by byte. ISO 32000-2, annex D.3. */
const special = new Map<number, string>(
  Array.from('˘ˇˆ˙˝˛˚˜', (character, index) => [0x18 + index, character] as const).concat(
    Array.from(
      '•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž',
      (character, index) => [0x80 + index, character] as const,
    ),
    [[0xa0, '€']],
  ),
);
const specialBytes = new Map([...special].map(([byte, character]) => [character, byte]));
const undefinedBytes = new Set([0x7f, 0x9f, 0xad]);

/**
 * A text string's bytes (ISO 32000-2, 7.9.2.2): PDFDocEncoding when it has every char, else UTF-16BE
 * with its byte order mark.
 */
export function encodeTextString(text: string): Uint8Array {
  return pdfDocEncoded(text) ?? Buffer.from(`\uFEFF${text}`, 'utf16le').swap16();
}

function pdfDocEncoded(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const byte = specialBytes.get(text[index] ?? '') ?? (isLatin(code) ? code : undefined);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  // What begins like a byte order mark would be read back as one.
  const marked =
    (bytes[0] === 0xfe && bytes[1] === 0xff) || (bytes[0] === 0xef && bytes[1] === 0xbb);
  return marked ? undefined : Uint8Array.from(bytes);
}

function isLatin(code: number): boolean {
  if (code === 9 || code === 10 || code === 13) return true;
  return code >= 0x20 && code <= 0xff && !special.has(code) && !undefinedBytes.has(code);
}

/** The text of a text string: UTF-16BE or UTF-8 by their marks, else PDFDocEncoding. */
export function decodeTextString(bytes: Uint8Array): string {
  const view = Buffer.from(bytes);
  if (view[0] === 0xfe && view[1] === 0xff) {
    return view
      .subarray(2, view.length & ~1)
      .swap16()
      .toString('utf16le');
  }
  if (view[0] === 0xff && view[1] === 0xfe) return view.subarray(2).toString('utf16le');
  if (view[0] === 0xef && view[1] === 0xbb && view[2] === 0xbf) {
    return view.subarray(3).toString('utf8');
  }
  return Array.from(view, (byte) => special.get(byte) ?? String.fromCharCode(byte)).join('');
}
