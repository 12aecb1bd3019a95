import { createServer, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startS3, type LocalS3 } from '@signfleet/local-stack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { s3ObjectStore, type ObjectStore } from '../src/index.ts';
import { objectStoreConformance } from './conformance.ts';

let directory: string;
let s3: LocalS3;
let store: ObjectStore;
const options = (server: LocalS3) => ({
  endpoint: server.endpoint,
  region: server.region,
  credentials: server,
  forcePathStyle: true,
});

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signfleet-storage-'));
  const first = await startS3({ directory, buckets: ['versioned'], versioning: true });
  await first.stop();
  s3 = await startS3({ directory, buckets: ['plain'] });
  store = s3ObjectStore(options(s3));
});

afterAll(async () => {
  await store.close();
  await s3.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('s3ObjectStore on the local S3', () => {
  objectStoreConformance(() => ({
    store,
    bucket: 'plain',
    versionedBucket: 'versioned',
    missingBucket: 'nobody-made-this',
  }));

  test('a wrong secret is told as access_denied', async () => {
    const credentials = { accessKeyId: s3.accessKeyId, secretAccessKey: 'wrong' };
    const stranger = s3ObjectStore({ ...options(s3), credentials });
    const body = Buffer.from('x');
    const put = stranger.put({ bucket: 'plain', key: 'k', body });
    await expect(put).rejects.toMatchObject({ code: 'access_denied' });
    await stranger.close();
  });
});

describe('s3ObjectStore on a server in trouble', () => {
  let server: Server;
  let trouble: (url: string) => { status: number; headers?: Record<string, string>; body?: string };
  let troubled: ObjectStore;
  let requests = 0;

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests += 1;
      request.resume();
      const { status, headers, body } = trouble(request.url ?? '');
      response.writeHead(status, headers);
      response.write(body ?? '');
      if (headers?.['content-length'] === undefined) response.end();
      else setTimeout(() => response.destroy(), 20); // the connection breaks off in the content
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}`;
    troubled = s3ObjectStore({ ...options(s3), endpoint });
  });

  afterAll(async () => {
    await troubled.close();
    await new Promise((resolve) => server.close(resolve));
  });

  const call = () => troubled.get({ bucket: 'b', key: 'k' });
  const error = (code: string) => `<Error><Code>${code}</Code><Message>m</Message></Error>`;

  test.each([
    [500, 'InternalError', 'unavailable'],
    [503, 'SlowDown', 'unavailable'],
    [409, 'ConditionalRequestConflict', 'unavailable'],
    [429, 'TooManyRequests', 'unavailable'],
    [403, 'AccessDenied', 'access_denied'],
    [400, 'InvalidBucketName', 'request_rejected'],
    [404, 'NoSuchBucket', 'bucket_missing'],
  ])('%i %s is %s, and asked for at most twice', async (status, name, code) => {
    requests = 0;
    trouble = () => ({ status, body: error(name) });
    await expect(call()).rejects.toMatchObject({ code });
    expect(requests).toBeLessThanOrEqual(2);
  });

  test('a content that breaks off is told as unavailable', async () => {
    trouble = () => ({ status: 200, headers: { 'content-length': '10' }, body: 'half' });
    await expect(call()).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a server that is gone is told as unavailable', async () => {
    const gone = s3ObjectStore({ ...options(s3), endpoint: 'http://127.0.0.1:1' });
    await expect(gone.head({ bucket: 'b', key: 'k' })).rejects.toMatchObject({
      code: 'unavailable',
    });
    await gone.close();
  });
});
