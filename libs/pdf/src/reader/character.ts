const REGULAR = 0;
const WHITE_SPACE = 1;
const DELIMITER = 2;

/** The class of every byte. ISO 32000-2, 7.2.3. */
const classes = new Uint8Array(256).fill(REGULAR);
for (const byte of [0, 9, 10, 12, 13, 32]) classes[byte] = WHITE_SPACE;
for (const character of '()<>[]{}/%') classes[character.charCodeAt(0)] = DELIMITER;

export function isWhiteSpace(byte: number | undefined): boolean {
  return byte !== undefined && classes[byte] === WHITE_SPACE;
}

/** Neither white space nor delimiter; the end of the data is not regular either. */
export function isRegular(byte: number | undefined): boolean {
  return byte !== undefined && classes[byte] === REGULAR;
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** The value of a hexadecimal digit, or -1. */
export function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
