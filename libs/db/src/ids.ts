import { createHash, randomBytes } from 'node:crypto';

/** What an id names. */
export type IdPrefix =
  'ten' | 'api' | 'usr' | 'key' | 'crt' | 'grt' | 'bat' | 'sig' | 'evt' | 'whe' | 'whd';

let lastMillis = 0;
let counter = 0;

/**
 * Time and counter of the next id. The counter keeps ids of one millisecond in order (RFC 9562
 * section 6.2, method 1); when its 12 bits are used up, or the clock steps back, time is borrowed.
 */
function nextTick(): { millis: number; count: number } {
  const now = Date.now();
  if (now > lastMillis) {
    lastMillis = now;
    counter = 0;
  } else if (counter < 0xfff) {
    counter += 1;
  } else {
    lastMillis += 1;
    counter = 0;
  }
  return { millis: lastMillis, count: counter };
}

/**
 * A new id: the prefix, `_`, and the 32 hex digits of a UUID version 7 (RFC 9562 section 5.7). Ids
 * made by one process sort in the order of their making.
 */
export function newId(prefix: IdPrefix): string {
  const { millis, count } = nextTick();
  const bytes = randomBytes(16);
  bytes.writeUIntBE(millis, 0, 6);
  bytes.writeUInt16BE(0x7000 | count, 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  return `${prefix}_${bytes.toString('hex')}`;
}

/** The same id for the same parts: what is derived twice is one row. Parts must not contain ":". */
export function derivedId(prefix: IdPrefix, ...parts: readonly string[]): string {
  const digest = createHash('sha256').update(parts.join(':')).digest('hex');
  return `${prefix}_${digest.slice(0, 32)}`;
}

/** SQL for {@link derivedId} of the text expression `parts`. */
export function derivedIdSql(prefix: IdPrefix, parts: string): string {
  return `'${prefix}_' || left(encode(sha256(convert_to(${parts}, 'UTF8')), 'hex'), 32)`;
}
