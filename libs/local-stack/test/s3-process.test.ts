import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startS3Process } from '../src/index.ts';
import { waitForProcessEnd } from '../src/process-identity.ts';

let directory: string;
const started: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signfleet-s3-'));
});

afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(port?: number) {
  const options = { directory, buckets: ['documents'], ...(port === undefined ? {} : { port }) };
  const s3 = await startS3Process(options);
  started.push(s3);
  return s3;
}

test('a killed server comes back with all objects it has acknowledged, on the same port', async () => {
  const s3 = await start();
  const { endpoint, region } = s3;
  const client = new S3Client({ endpoint, region, credentials: s3, forcePathStyle: true });
  const keys = Array.from({ length: 20 }, (_, index) => `document ${index}`);
  const put = (Key: string) =>
    client.send(new PutObjectCommand({ Bucket: 'documents', Key, Body: Key }));
  await Promise.all(keys.map(put));
  await put('document 0'); // replaced: the old file must not come back
  process.kill(s3.pid, 'SIGKILL');
  await waitForProcessEnd(s3.pid, 10_000);
  await s3.stop();
  const again = await start(s3.port);
  expect(again).toMatchObject({ endpoint, secretAccessKey: s3.secretAccessKey });
  for (const Key of keys) {
    const answer = await client.send(new GetObjectCommand({ Bucket: 'documents', Key }));
    expect(await answer.Body?.transformToString()).toBe(Key);
  }
  client.destroy();
});
