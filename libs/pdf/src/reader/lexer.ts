import { PdfError } from '../error.ts';
import { hexDigit, isDigit, isRegular, isWhiteSpace } from './character.ts';

const BACKSLASH = 0x5c;
const NUMBER_SIGN = 0x23;
const escapes = new Map<number, number>([
  [0x6e, 10],
  [0x72, 13],
  [0x74, 9],
  [0x62, 8],
  [0x66, 12],
]);

/** Reads the lexical elements of ISO 32000-2, 7.2 from bytes, at a position that callers may move. */
export class Lexer {
  readonly bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }

  /** The byte at the position, undefined at the end. */
  peek(ahead = 0): number | undefined {
    return this.bytes[this.position + ahead];
  }

  /** Moves past white space and comments. */
  skipSpace(): void {
    const { bytes } = this;
    let position = this.position;
    for (;;) {
      const byte = bytes[position];
      if (isWhiteSpace(byte)) {
        position += 1;
      } else if (byte === 0x25) {
        while (position < bytes.length && bytes[position] !== 10 && bytes[position] !== 13) {
          position += 1;
        }
      } else {
        break;
      }
    }
    this.position = position;
  }

  /** Whether `keyword` stands at the position, ended by something that is not regular. */
  at(keyword: string): boolean {
    for (let index = 0; index < keyword.length; index += 1) {
      if (this.bytes[this.position + index] !== keyword.charCodeAt(index)) return false;
    }
    return !isRegular(this.bytes[this.position + keyword.length]);
  }

  /** Skips space, then moves past `keyword` if it stands there. */
  accept(keyword: string): boolean {
    this.skipSpace();
    if (!this.at(keyword)) return false;
    this.position += keyword.length;
    return true;
  }

  /** Skips space, then reads an unsigned integer; undefined, unmoved, when there is none. */
  acceptInteger(): number | undefined {
    const before = this.position;
    this.skipSpace();
    const first = this.position;
    let value = 0;
    for (let byte = this.peek(); isDigit(byte); byte = this.peek()) {
      value = value * 10 + (byte ?? 0) - 0x30;
      this.position += 1;
    }
    if (this.position > first && Number.isSafeInteger(value)) return value;
    this.position = before;
    return undefined;
  }

  /** A run of regular characters, as text. */
  word(): string {
    const start = this.position;
    while (isRegular(this.peek())) this.position += 1;
    return latin1(this.bytes, start, this.position);
  }

  /** A name; the position is on its solidus. ISO 32000-2, 7.3.5. */
  name(): string {
    this.position += 1;
    const word = this.word();
    if (!word.includes('#')) return word;
    let name = '';
    for (let index = 0; index < word.length; index += 1) {
      const high = hexDigit(word.charCodeAt(index + 1));
      const low = hexDigit(word.charCodeAt(index + 2));
      if (word.charCodeAt(index) === NUMBER_SIGN && high >= 0 && low >= 0) {
        name += String.fromCharCode(high * 16 + low);
        index += 2;
      } else {
        name += word[index] ?? '';
      }
    }
    return name;
  }

  /** A literal string; the position is on its opening parenthesis. ISO 32000-2, 7.3.4.2. */
  literalString(): Uint8Array {
    const start = this.position;
    this.position += 1;
    const output: number[] = [];
    for (let depth = 1; ;) {
      const byte = this.peek();
      if (byte === undefined) throw damaged('a string does not end', start);
      this.position += 1;
      if (byte === BACKSLASH) {
        this.#escape(output);
        continue;
      }
      if (byte === 0x28) depth += 1;
      if (byte === 0x29) depth -= 1;
      if (depth === 0) return Uint8Array.from(output);
      if (byte === 13) {
        if (this.peek() === 10) this.position += 1;
        output.push(10);
      } else {
        output.push(byte);
      }
    }
  }

  /** A hexadecimal string; the position is on its `<`. ISO 32000-2, 7.3.4.3. */
  hexadecimalString(): Uint8Array {
    const start = this.position;
    const end = this.bytes.indexOf(0x3e, start);
    if (end < 0) throw damaged('a string does not end', start);
    const output = new Uint8Array((end - start) >> 1);
    let digits = 0;
    for (let index = start + 1; index < end; index += 1) {
      const digit = hexDigit(this.bytes[index]);
      if (digit < 0) continue;
      const slot = digits >> 1;
      output[slot] = digits % 2 === 0 ? digit << 4 : (output[slot] ?? 0) | digit;
      digits += 1;
    }
    this.position = end + 1;
    return output.subarray(0, (digits + 1) >> 1);
  }

  #escape(output: number[]): void {
    const byte = this.peek();
    if (byte === undefined) return;
    this.position += 1;
    if (byte === 13) {
      if (this.peek() === 10) this.position += 1;
      return;
    }
    if (byte === 10) return;
    if (byte < 0x30 || byte > 0x37) {
      output.push(escapes.get(byte) ?? byte);
      return;
    }
    let value = byte - 0x30;
    for (let count = 1; count < 3; count += 1) {
      const next = this.peek();
      if (next === undefined || next < 0x30 || next > 0x37) break;
      value = value * 8 + next - 0x30;
      this.position += 1;
    }
    output.push(value & 0xff);
  }
}

/** Bytes as text of one char a byte. */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  if (end - start > 64) {
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  }
  let text = '';
  for (let index = start; index < end; index += 1) text += String.fromCharCode(bytes[index] ?? 0);
  return text;
}

/** A `damaged` error that says where. */
export function damaged(message: string, offset: number): PdfError {
  return new PdfError('damaged', message, { details: { offset } });
}
