import { randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bucket, refusal, startS3Fixture } from './s3-fixture.ts';

let fixture: Awaited<ReturnType<typeof startS3Fixture>>;

beforeAll(async () => {
  fixture = await startS3Fixture();
});

afterAll(() => fixture.stop());

test('multipart upload, with a part copied from a range of another object', async () => {
  const original = randomBytes(6 * 1024 * 1024);
  await fixture.put('original', original);
  const Key = 'joined';
  const { UploadId } = await fixture.client.send(
    new CreateMultipartUploadCommand({
      Bucket,
      Key,
      ContentType: 'application/pdf',
      Metadata: { a: 'b' },
    }),
  );
  const copied = await fixture.client.send(
    new UploadPartCopyCommand({
      Bucket,
      Key,
      UploadId,
      PartNumber: 1,
      CopySource: `${Bucket}/original`,
    }),
  );
  const ranged = await fixture.client.send(
    new UploadPartCopyCommand({
      ...{ Bucket, Key, UploadId, PartNumber: 2, CopySource: `${Bucket}/original` },
      CopySourceRange: 'bytes=10-5242889',
    }),
  );
  const tail = Buffer.from('appended');
  const uploaded = await fixture.client.send(
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 3, Body: tail }),
  );
  const listed = await fixture.client.send(new ListPartsCommand({ Bucket, Key, UploadId }));
  expect(listed.Parts?.map(({ Size }) => Size)).toEqual([original.length, 5_242_880, tail.length]);
  const complete = (IfNoneMatch?: string) =>
    fixture.client.send(
      new CompleteMultipartUploadCommand({
        ...{ Bucket, Key, UploadId, IfNoneMatch },
        MultipartUpload: {
          Parts: [copied.CopyPartResult, ranged.CopyPartResult, uploaded].map((part, index) => ({
            PartNumber: index + 1,
            ETag: part?.ETag,
          })),
        },
      }),
    );
  const done = await complete('*');
  const { answer, bytes } = await fixture.get(Key);
  const expected = Buffer.concat([original, original.subarray(10, 5_242_890), tail]);
  expect(bytes.equals(expected)).toBe(true);
  expect(answer).toMatchObject({
    ETag: done.ETag,
    ContentType: 'application/pdf',
    Metadata: { a: 'b' },
  });
  await expect(complete()).rejects.toMatchObject(refusal('NoSuchUpload', 404));
});

test('multipart upload: wrong part, small part, abort, condition', async () => {
  await fixture.put('exists');
  const Key = 'exists';
  const { UploadId } = await fixture.client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const part = async (PartNumber: number) => {
    const answer = await fixture.client.send(
      new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: `part ${PartNumber}` }),
    );
    return { PartNumber, ETag: answer.ETag };
  };
  const [one, two] = [await part(1), await part(2)];
  const complete = (
    Parts: { PartNumber: number; ETag: string | undefined }[],
    IfNoneMatch?: string,
  ) =>
    fixture.client.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        IfNoneMatch,
        MultipartUpload: { Parts },
      }),
    );
  await expect(complete([two, one])).rejects.toMatchObject(refusal('InvalidPartOrder', 400));
  await expect(complete([one, two])).rejects.toMatchObject(refusal('InvalidRequest', 400));
  await expect(complete([{ ...one, ETag: two.ETag }])).rejects.toMatchObject(
    refusal('InvalidPart', 400),
  );
  await expect(complete([one], '*')).rejects.toMatchObject(refusal('PreconditionFailed', 412));
  await fixture.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  await expect(complete([one])).rejects.toMatchObject(refusal('NoSuchUpload', 404));
  expect((await fixture.get(Key)).bytes.toString()).toBe('content');
});
