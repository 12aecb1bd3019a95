import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bucket, refusal, startS3Fixture } from './s3-fixture.ts';

let fixture: Awaited<ReturnType<typeof startS3Fixture>>;

beforeAll(async () => {
  fixture = await startS3Fixture();
});

afterAll(() => fixture.stop());

test('gives back what was put, with its metadata, for any key and size', async () => {
  for (const [Key, size] of [
    ['plain.pdf', 0],
    ['a b+c&d=e/ü %41 (1)\'!*~"<>', 10],
    ['large', 3 * 1024 * 1024 + 1],
  ] as const) {
    const Body = randomBytes(size);
    const Metadata = { owner: 'a user' };
    const { ETag } = await fixture.client.send(
      new PutObjectCommand({ Bucket, Key, Body, Metadata, ContentType: 'application/pdf' }),
    );
    const { answer, bytes } = await fixture.get(Key);
    expect(bytes.equals(Body)).toBe(true);
    expect(answer).toMatchObject({
      ETag,
      Metadata,
      ContentType: 'application/pdf',
      ContentLength: size,
    });
    const head = await fixture.client.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head).toMatchObject({ ETag, Metadata, ContentLength: size });
  }
});

test('answers ranges, and 416 beyond the end', async () => {
  await fixture.put('range', '0123456789');
  for (const [Range, expected] of [
    ['bytes=2-4', '234'],
    ['bytes=7-', '789'],
    ['bytes=-3', '789'],
    ['bytes=0-99', '0123456789'],
  ] as const) {
    const { answer, bytes } = await fixture.get('range', { Range });
    expect(bytes.toString()).toBe(expected);
    expect(answer.$metadata.httpStatusCode).toBe(206);
  }
  await expect(fixture.get('range', { Range: 'bytes=10-' })).rejects.toMatchObject(
    refusal('InvalidRange', 416),
  );
});

test('conditional writes and reads', async () => {
  const create = () =>
    fixture.client.send(new PutObjectCommand({ Bucket, Key: 'once', Body: 'x', IfNoneMatch: '*' }));
  const results = await Promise.allSettled(Array.from({ length: 8 }, create));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await expect(create()).rejects.toMatchObject(refusal('PreconditionFailed', 412));
  const { ETag } = await fixture.client.send(new HeadObjectCommand({ Bucket, Key: 'once' }));
  const replace = (Key: string, IfMatch: string | undefined) =>
    fixture.client.send(new PutObjectCommand({ Bucket, Key, Body: 'y', IfMatch }));
  await replace('once', ETag);
  await expect(replace('once', ETag)).rejects.toMatchObject(refusal('PreconditionFailed', 412));
  await expect(replace('never', ETag)).rejects.toMatchObject(refusal('NoSuchKey', 404));
  const stale = fixture.client.send(new GetObjectCommand({ Bucket, Key: 'once', IfMatch: ETag }));
  await expect(stale).rejects.toMatchObject(refusal('PreconditionFailed', 412));
  const { ETag: current } = await fixture.client.send(
    new HeadObjectCommand({ Bucket, Key: 'once' }),
  );
  const unchanged = fixture.client.send(
    new GetObjectCommand({ Bucket, Key: 'once', IfNoneMatch: current }),
  );
  await expect(unchanged).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
});

test('takes streamed bodies with trailing checksums', async () => {
  for (const size of [10, 200_000, 2_500_000]) {
    const bytes = randomBytes(size);
    const Body = Readable.from(
      (function* () {
        for (let at = 0; at < size; at += 65_000) yield bytes.subarray(at, at + 65_000);
      })(),
    );
    await fixture.client.send(
      new PutObjectCommand({ Bucket, Key: 'streamed', Body, ContentLength: size }),
    );
    const { answer, bytes: read } = await fixture.get('streamed');
    expect(read.equals(bytes)).toBe(true);
    expect(answer.ContentEncoding).toBeUndefined();
  }
});

test('a body that is cut off leaves no object', async () => {
  const url = await getSignedUrl(fixture.client, new PutObjectCommand({ Bucket, Key: 'half' }));
  const { pathname, search, port } = new URL(url);
  for (const length of [1000, 2_000_000]) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n`);
    socket.write(`content-length: ${length}\r\n\r\n${'x'.repeat(length - 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
  }
  await expect(fixture.get('half')).rejects.toMatchObject(refusal('NoSuchKey', 404));
  const temporary = () => readdir(join(fixture.directory, 'buckets', Bucket, 'temporary'));
  await expect.poll(temporary).toEqual([]);
});
