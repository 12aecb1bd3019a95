import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../src/cursor.ts';
import { ApiError, problems } from '../src/errors.ts';
import { jsonPointer } from '../src/schema-compiler.ts';
import { bucketName, metadata, objectKey, text } from '../src/schemas/primitives.ts';
import { newSigning } from '../src/schemas/signing.ts';
import { newWebhookEndpoint } from '../src/schemas/webhook-endpoint.ts';

test.each([
  ['docs', true],
  ['my.bucket-01', true],
  ['ab', false],
  ['Upper', false],
  ['-start', false],
  ['end-', false],
  ['two..dots', false],
  ['192.168.1.1', false],
  ['under_score', false],
  ['a'.repeat(64), false],
])('bucket %s: %s', (name, valid) => {
  expect(bucketName.safeParse(name).success).toBe(valid);
});

test.each([
  ['a/b/c.pdf', true],
  ['ünïcode ♥.pdf', true],
  ['', false],
  ['a\u0000b', false],
  ['line\nbreak', false],
  ['../up.pdf', false],
  ['a/./b', false],
  ['lone \ud800 surrogate', false],
  ['é'.repeat(512), true],
  ['é'.repeat(513), false],
])('object key %j: %s', (key, valid) => {
  expect(objectKey.safeParse(key).success).toBe(valid);
});

test('text refuses control characters and lone surrogates but not emoji', () => {
  expect(text(10).safeParse('ok 👍').success).toBe(true);
  expect(text(10).safeParse('\u009b').success).toBe(false);
  expect(text(10).safeParse('\udc00').success).toBe(false);
});

test('metadata holds at most 50 pairs of text', () => {
  const pairs = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));
  expect(metadata.safeParse(pairs(50)).success).toBe(true);
  expect(metadata.safeParse(pairs(51)).success).toBe(false);
  expect(metadata.safeParse({ a: 1 }).success).toBe(false);
});

test('a signing names either a key or a user', () => {
  const source = { bucket: 'docs', key: 'a.pdf' };
  const [keyId, userId] = ['key_0123456789', 'usr_0123456789'];
  expect(newSigning.safeParse({ source, keyId }).success).toBe(true);
  expect(newSigning.safeParse({ source, userId }).success).toBe(true);
  expect(newSigning.safeParse({ source, keyId, userId }).success).toBe(false);
  expect(newSigning.safeParse({ source }).success).toBe(false);
  expect(newSigning.safeParse({ source, keyId, fieldName: 'a.b' }).success).toBe(false);
});

test.each([
  ['https://hooks.example.com/x', true],
  ['http://127.0.0.1:9000/', true],
  ['https://user:pass@example.com/', false],
  ['ftp://example.com/', false],
  ['not a url', false],
])('webhook target %s: %s', (url, valid) => {
  expect(newWebhookEndpoint.safeParse({ url }).success).toBe(valid);
});

test('a pointer escapes ~ and / (RFC 6901)', () => {
  expect(jsonPointer(['a/b', 0, 'c~d'])).toBe('/a~1b/0/c~0d');
});

test('a cursor comes back as it went out, anything else is refused', () => {
  expect(decodeCursor('id', encodeCursor('id', 'sig_0123456789'))).toBe('sig_0123456789');
  expect(decodeCursor('audit', encodeCursor('audit', '42'))).toBe('42');
  expect(decodeCursor('event', encodeCursor('event', '7.8'))).toBe('7.8');
  const bad = ['', 'x', encodeCursor('audit', "' or 1=1"), `${encodeCursor('audit', '42')}=`];
  for (const cursor of [...bad, encodeCursor('id', 'sig_0123456789')]) {
    expect(() => decodeCursor('audit', cursor)).toThrow(ApiError);
  }
});

test('the guide lists every problem code with its status', () => {
  const guide = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');
  const listed = [...guide.matchAll(/^\| `(\w+)` +\| (\d{3}) /gm)].map(([, code, status]) => [
    code,
    Number(status),
  ]);
  expect(listed).toEqual(Object.entries(problems).map(([code, { status }]) => [code, status]));
});
