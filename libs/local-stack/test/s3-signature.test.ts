import { createHash } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand, type S3ClientConfig } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bucket, clientOf, refusal, startS3Fixture } from './s3-fixture.ts';

let fixture: Awaited<ReturnType<typeof startS3Fixture>>;

beforeAll(async () => {
  fixture = await startS3Fixture();
});

afterAll(() => fixture.stop());

test('refuses a wrong secret, an unknown key id, another region, a skewed clock and no signature', async () => {
  await fixture.put('secret');
  const attempt = async (config: S3ClientConfig) => {
    const other = clientOf(fixture.s3, config);
    try {
      return await other.send(new GetObjectCommand({ Bucket, Key: 'secret' }));
    } finally {
      other.destroy();
    }
  };
  const { accessKeyId, secretAccessKey } = fixture.s3;
  await expect(
    attempt({ credentials: { accessKeyId, secretAccessKey: 'wrong' } }),
  ).rejects.toMatchObject(refusal('SignatureDoesNotMatch', 403));
  await expect(
    attempt({ credentials: { accessKeyId: 'other', secretAccessKey } }),
  ).rejects.toMatchObject(refusal('InvalidAccessKeyId', 403));
  await expect(attempt({ region: 'eu-west-9' })).rejects.toMatchObject(
    refusal('AuthorizationHeaderMalformed', 400),
  );
  await expect(attempt({ systemClockOffset: 16 * 60 * 1000 })).rejects.toMatchObject(
    refusal('RequestTimeTooSkewed', 403),
  );
  expect((await fetch(`${fixture.s3.endpoint}/${Bucket}/secret`)).status).toBe(403);
});

test('presigned URLs: valid, tampered with, expired, with an unsigned header', async () => {
  await fixture.put('presigned', 'by URL');
  const command = new GetObjectCommand({ Bucket, Key: 'presigned' });
  const url = await getSignedUrl(fixture.client, command, { expiresIn: 60 });
  expect(await (await fetch(url)).text()).toBe('by URL');
  expect((await fetch(url.replace('/presigned?', '/secret?'))).status).toBe(403);
  expect((await fetch(url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600'))).status).toBe(403);
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
  expect((await fetch(url, { headers: { 'x-amz-checksum-mode': 'ENABLED' } })).status).toBe(403);
  const signingDate = new Date(Date.now() - 61_000);
  const expired = await fetch(
    await getSignedUrl(fixture.client, command, { expiresIn: 60, signingDate }),
  );
  expect(expired.status).toBe(403);
  expect(await expired.text()).toContain('Request has expired');
  const upload = await getSignedUrl(
    fixture.client,
    new PutObjectCommand({ Bucket, Key: 'uploaded' }),
  );
  expect((await fetch(upload, { method: 'PUT', body: 'sent by URL' })).status).toBe(200);
  expect((await fixture.get('uploaded')).bytes.toString()).toBe('sent by URL');
});

test('checks what the sender says about the body', async () => {
  const wrongMd5 = createHash('md5').update('other').digest('base64');
  await expect(
    fixture.client.send(
      new PutObjectCommand({ Bucket, Key: 'bad', Body: 'x', ContentMD5: wrongMd5 }),
    ),
  ).rejects.toMatchObject(refusal('BadDigest', 400));
  await expect(
    fixture.client.send(
      new PutObjectCommand({ Bucket, Key: 'bad', Body: 'x', ChecksumSHA256: 'AAAA' }),
    ),
  ).rejects.toMatchObject(refusal('BadDigest', 400));
  // The signature covers the body's hash: the same signed headers with another body are refused.
  const tampering = clientOf(fixture.s3, { requestChecksumCalculation: 'WHEN_REQUIRED' });
  tampering.middlewareStack.add(
    (next) => (args) => {
      (args.request as { body: unknown }).body = 'y';
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  const sent = tampering.send(new PutObjectCommand({ Bucket, Key: 'bad', Body: 'x' }));
  await expect(sent).rejects.toMatchObject(refusal('XAmzContentSHA256Mismatch', 400));
  tampering.destroy();
  await expect(fixture.get('bad')).rejects.toMatchObject(refusal('NoSuchKey', 404));
});
