import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { startS3, type LocalS3 } from '../src/index.ts';

export const Bucket = 'documents';

/** What a refused command rejects with. */
export const refusal = (name: string, status: number) => ({
  name,
  $metadata: { httpStatusCode: status },
});

export function clientOf(server: LocalS3, config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: server,
    forcePathStyle: true,
    maxAttempts: 1,
    ...config,
  });
}

/** A server in a fresh folder with the bucket `documents`, and the real SDK's client of it. */
export async function startS3Fixture() {
  const directory = await mkdtemp(join(tmpdir(), 'signfleet-s3-'));
  const s3 = await startS3({ directory, buckets: [Bucket] });
  const client = clientOf(s3);
  const put = (Key: string, Body: string | Uint8Array = 'content') =>
    client.send(new PutObjectCommand({ Bucket, Key, Body }));
  const get = async (Key: string, more: { VersionId?: string; Range?: string } = {}) => {
    const answer = await client.send(new GetObjectCommand({ Bucket, Key, ...more }));
    if (answer.Body === undefined) throw new TypeError('no body');
    return { answer, bytes: Buffer.from(await answer.Body.transformToByteArray()) };
  };
  const stop = async () => {
    client.destroy();
    await s3.stop();
    await rm(directory, { recursive: true, force: true });
  };
  return { directory, s3, client, put, get, stop };
}
