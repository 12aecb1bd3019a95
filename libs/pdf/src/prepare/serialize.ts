import { encodeTextString } from '../reader/text-string.ts';

/** A text string as it stands in a file: literal when plain ASCII, else hexadecimal. */
export function serializeTextString(text: string): string {
  const bytes = encodeTextString(text);
  if (bytes.every((byte) => byte >= 0x20 && byte <= 0x7e)) {
    return `(${text.replace(/[\\()]/g, (character) => `\\${character}`)})`;
  }
  return `<${Buffer.from(bytes).toString('hex').toUpperCase()}>`;
}

/** A date in UTC to the second (ISO 32000-2, 7.9.4). */
export function serializeDate(date: Date): string {
  const digits = date.toISOString().replace(/\D/g, '').slice(0, 14);
  return `(D:${digits}+00'00')`;
}

/** A reference to an object. */
export function serializeReference(to: {
  readonly objectNumber: number;
  readonly generation: number;
}): string {
  return `${to.objectNumber} ${to.generation} R`;
}
