import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startS3 } from '../src/index.ts';
import { refusal, startS3Fixture } from './s3-fixture.ts';

let fixture: Awaited<ReturnType<typeof startS3Fixture>>;

beforeAll(async () => {
  fixture = await startS3Fixture();
});

afterAll(() => fixture.stop());

test('keeps versions when told to', async () => {
  const versioned = 'versioned';
  await fixture.client.send(new CreateBucketCommand({ Bucket: versioned }));
  const put = (Body: string) =>
    fixture.client.send(new PutObjectCommand({ Bucket: versioned, Key: 'k', Body }));
  const read = async (VersionId?: string) => {
    const answer = await fixture.client.send(
      new GetObjectCommand({ Bucket: versioned, Key: 'k', VersionId }),
    );
    return answer.Body!.transformToString();
  };
  expect((await put('zero')).VersionId).toBeUndefined();
  await fixture.client.send(
    new PutBucketVersioningCommand({
      Bucket: versioned,
      VersioningConfiguration: { Status: 'Enabled' },
    }),
  );
  expect(
    await fixture.client.send(new GetBucketVersioningCommand({ Bucket: versioned })),
  ).toMatchObject({
    Status: 'Enabled',
  });
  const first = await put('one');
  const second = await put('two');
  expect(await read()).toBe('two');
  expect(await read(first.VersionId)).toBe('one');
  expect(await read('null')).toBe('zero');
  await expect(read('nonsense')).rejects.toMatchObject(refusal('NoSuchVersion', 404));
  await fixture.client.send(new DeleteObjectCommand({ Bucket: versioned, Key: 'k' }));
  await expect(read()).rejects.toMatchObject(refusal('NoSuchKey', 404));
  expect(await read(second.VersionId)).toBe('two');
  const list = await fixture.client.send(new ListObjectVersionsCommand({ Bucket: versioned }));
  expect(list.Versions?.map(({ VersionId }) => VersionId)).toEqual([
    second.VersionId,
    first.VersionId,
    'null',
  ]);
  expect(list.DeleteMarkers).toHaveLength(1);
  await expect(
    fixture.client.send(new DeleteBucketCommand({ Bucket: versioned })),
  ).rejects.toMatchObject(refusal('BucketNotEmpty', 409));
});

test('copies and lists with prefix, delimiter and pages', async () => {
  await fixture.client.send(new CreateBucketCommand({ Bucket: 'listed' }));
  for (const Key of ['a/1', 'a/2', 'b', 'c/1/x', 'c/2', 'd&<e>'])
    await fixture.client.send(new PutObjectCommand({ Bucket: 'listed', Key, Body: Key }));
  await fixture.client.send(
    new CopyObjectCommand({ Bucket: 'listed', Key: 'e', CopySource: 'listed/a%2F1' }),
  );
  const list = (more: object) =>
    fixture.client.send(new ListObjectsV2Command({ Bucket: 'listed', ...more }));
  expect((await list({})).Contents?.map(({ Key }) => Key)).toEqual([
    ...['a/1', 'a/2', 'b', 'c/1/x', 'c/2', 'd&<e>', 'e'],
  ]);
  const seen: (string | undefined)[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await list({ Delimiter: '/', MaxKeys: 1, ContinuationToken });
    expect(page.KeyCount).toBe(1);
    for (const { Key } of page.Contents ?? []) seen.push(Key);
    for (const { Prefix } of page.CommonPrefixes ?? []) seen.push(Prefix);
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  expect(seen).toEqual(['a/', 'b', 'c/', 'd&<e>', 'e']);
  expect(
    (await list({ Prefix: 'c/', StartAfter: 'c/1/x' })).Contents?.map(({ Key }) => Key),
  ).toEqual(['c/2']);
  await fixture.client.send(
    new DeleteObjectsCommand({
      Bucket: 'listed',
      Delete: {
        Objects: ['a/1', 'a/2', 'b', 'c/1/x', 'c/2', 'd&<e>', 'e'].map((Key) => ({ Key })),
      },
    }),
  );
  await fixture.client.send(new DeleteBucketCommand({ Bucket: 'listed' }));
  const { Buckets } = await fixture.client.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).not.toContain('listed');
  await expect(list({})).rejects.toMatchObject(refusal('NoSuchBucket', 404));
});

test('a port that is taken is told', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const start = startS3({ directory: join(fixture.directory, 'other'), port });
  await expect(start).rejects.toMatchObject({ code: 'port_in_use' });
  await new Promise((resolve) => other.close(resolve));
});
