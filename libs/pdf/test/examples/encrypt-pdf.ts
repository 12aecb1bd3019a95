import { createHash } from 'node:crypto';
import { writePdf, type FixtureObjects } from '../pdf-fixture.ts';

/** The padding of ISO 32000-1, 7.6.3.3. */
const padding = Buffer.from(
  '28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a',
  'hex',
);
const PERMISSIONS = -44;

export interface EncryptOptions {
  readonly userPassword: string;
  readonly trailer: string;
}

/** A file under the standard security handler, revision 3 with RC4 and 128 bits (ISO 32000-1, 7.6). */
export function encryptPdf(objects: FixtureObjects, options: EncryptOptions): Buffer {
  const identifier = md5(Buffer.from('signfleet sample'));
  const user = Buffer.concat([Buffer.from(options.userPassword, 'latin1'), padding]).subarray(0, 32);
  const ownerKey = repeatedMd5(md5(user), 50);
  const owner = scrambled(user, ownerKey);
  const permissions = Buffer.alloc(4);
  permissions.writeInt32LE(PERMISSIONS);
  const key = repeatedMd5(md5(Buffer.concat([user, owner, permissions, identifier])), 50);
  const check = scrambled(md5(Buffer.concat([padding, identifier])), key);
  const number = Math.max(...objects.keys()) + 1;
  const hexadecimal = (bytes: Uint8Array): string => `<${Buffer.from(bytes).toString('hex')}>`;
  const dictionary =
    `<< /Filter /Standard /V 2 /R 3 /Length 128 /P ${PERMISSIONS} /O ${hexadecimal(owner)}` +
    ` /U ${hexadecimal(Buffer.concat([check, Buffer.alloc(16)]))} >>`;
  const encrypted = new Map<number, string>();
  for (const [objectNumber, text] of objects) {
    encrypted.set(objectNumber, encryptObject(text, objectKey(key, objectNumber)));
  }
  encrypted.set(number, dictionary);
  const id = hexadecimal(identifier);
  const trailer = `${options.trailer} /Encrypt ${number} 0 R /ID [${id} ${id}]`;
  return writePdf(encrypted, { version: '1.4', trailer });
}

/** Strings (literal ones without escapes only) and stream data, each under the object's key. */
function encryptObject(text: string, key: Buffer): string {
  const cipher = (data: string): Buffer => rc4(Buffer.from(data, 'latin1'), key);
  const stream = /^([^]*?stream\n)([^]*)(\nendstream)$/.exec(text);
  const head = (stream?.[1] ?? text).replace(
    /\(([^()\\]*)\)/g,
    (_match, content: string) => `<${cipher(content).toString('hex')}>`,
  );
  if (stream === null) return head;
  return `${head}${cipher(stream[2] ?? '').toString('latin1')}${stream[3] ?? ''}`;
}

/** Algorithm 1. */
function objectKey(key: Buffer, objectNumber: number): Buffer {
  const suffix = Buffer.alloc(5);
  suffix.writeUIntLE(objectNumber, 0, 3);
  return md5(Buffer.concat([key, suffix]));
}

function md5(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}

function repeatedMd5(bytes: Buffer, times: number): Buffer {
  let hash = bytes;
  for (let time = 0; time < times; time += 1) hash = md5(hash);
  return hash;
}

/** Twenty rounds with keys derived by exclusive or (algorithms 3 and 5). */
function scrambled(bytes: Buffer, key: Buffer): Buffer {
  let data = bytes;
  for (let round = 0; round < 20; round += 1) data = rc4(data, key.map((byte) => byte ^ round));
  return data;
}

function rc4(data: Uint8Array, key: Uint8Array): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_value, index) => index);
  const at = (index: number): number => state[index & 255] ?? 0;
  const swap = (a: number, b: number): void => {
    const kept = at(a);
    state[a] = at(b);
    state[b] = kept;
  };
  for (let index = 0, other = 0; index < 256; index += 1) {
    other = (other + at(index) + (key[index % key.length] ?? 0)) & 255;
    swap(index, other);
  }
  let i = 0;
  let j = 0;
  return Buffer.from(
    data.map((byte) => {
      i = (i + 1) & 255;
      j = (j + at(i)) & 255;
      swap(i, j);
      return byte ^ at(at(i) + at(j));
    }),
  );
}
