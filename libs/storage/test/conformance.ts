import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ObjectStore } from '../src/index.ts';

/** What the suite needs: a bucket that keeps versions, one that does not, and one nobody has made. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly versionedBucket: string;
  readonly missingBucket: string;
}

/** What every implementation of {@link ObjectStore} must do. */
export function objectStoreConformance(open: () => StoreUnderTest): void {
  const newKey = (): string => `conformance/${randomUUID()} ü&+.pdf`;
  const sizes = [0, 1, 100_000, 3_000_000];

  test.each(sizes)('gives back %i bytes, put whole or in pieces', async (size) => {
    const { store, bucket } = open();
    const bytes = randomBytes(size);
    const pieces = [bytes.subarray(0, size >> 1), new Uint8Array(0), bytes.subarray(size >> 1)];
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    for (const content of [
      { body: new Uint8Array(bytes) },
      { body: pieces },
      { body: bytes, sha256 },
      { body: pieces, sha256 },
    ]) {
      const key = newKey();
      const metadata = { 'signing-id': 'sig_1' };
      const { etag } = await store.put({
        ...{ bucket, key, contentType: 'application/pdf', metadata },
        ...content,
      });
      const object = await store.get({ bucket, key, maxBytes: size });
      expect(Buffer.from(object.bytes).equals(bytes)).toBe(true);
      const head = { size, etag, metadata, contentType: 'application/pdf' };
      expect(object).toMatchObject(head);
      expect(await store.head({ bucket, key })).toEqual(head);
    }
  });

  test('a content that is not the announced hash is not stored', async () => {
    const { store, bucket } = open();
    const key = newKey();
    const sha256 = createHash('sha256').update('other').digest('hex');
    for (const body of [randomBytes(10), [randomBytes(2_000_000)]]) {
      const put = store.put({ bucket, key, body, sha256 });
      await expect(put).rejects.toMatchObject({ code: 'request_rejected' });
    }
    await expect(store.head({ bucket, key })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('never reads more than maxBytes', async () => {
    const { store, bucket } = open();
    const key = newKey();
    await store.put({ bucket, key, body: randomBytes(1000) });
    const refused = store.get({ bucket, key, maxBytes: 999 });
    await expect(refused).rejects.toMatchObject({ code: 'too_large', details: { size: 1000 } });
  });

  test('ifNoneMatch lets exactly one of several writers through', async () => {
    const { store, bucket } = open();
    const key = newKey();
    const write = (_: unknown, index: number) =>
      store.put({ bucket, key, body: Buffer.from([index]), ifNoneMatch: true });
    const results = await Promise.allSettled(Array.from({ length: 10 }, write));
    const winner = results.findIndex(({ status }) => status === 'fulfilled');
    const lost = results.filter(({ status }) => status === 'rejected');
    expect(lost).toHaveLength(9);
    for (const result of lost)
      expect(result).toMatchObject({ reason: { code: 'precondition_failed' } });
    expect([...(await store.get({ bucket, key })).bytes]).toEqual([winner]);
  });

  test('reads a version by its id', async () => {
    const { store, versionedBucket: bucket } = open();
    const key = newKey();
    const first = await store.put({ bucket, key, body: Buffer.from('first') });
    const second = await store.put({ bucket, key, body: Buffer.from('second') });
    expect(first.versionId).not.toBe(second.versionId);
    const versionId = first.versionId!;
    const object = await store.get({ bucket, key, versionId });
    expect(Buffer.from(object.bytes).toString()).toBe('first');
    expect(await store.head({ bucket, key, versionId })).toMatchObject({ size: 5, versionId });
    expect(await store.head({ bucket, key })).toMatchObject({ versionId: second.versionId });
    const invented = store.get({
      bucket,
      key,
      versionId: versionId.replace(/.$/, (c) => (c === '0' ? '1' : '0')),
    });
    await expect(invented).rejects.toMatchObject({ code: 'not_found' });
  });

  test('tells what is missing', async () => {
    const { store, bucket, missingBucket } = open();
    const key = newKey();
    await expect(store.get({ bucket, key })).rejects.toMatchObject({ code: 'not_found' });
    await expect(store.head({ bucket, key })).rejects.toMatchObject({ code: 'not_found' });
    const read = store.get({ bucket: missingBucket, key });
    await expect(read).rejects.toMatchObject({ code: 'bucket_missing' });
    const write = store.put({ bucket: missingBucket, key, body: Buffer.from('x') });
    await expect(write).rejects.toMatchObject({ code: 'bucket_missing' });
  });

  test('presigned URLs write and read one object', async () => {
    const { store, bucket } = open();
    const key = newKey();
    const contentType = 'application/pdf';
    const upload = await store.presignPut({ bucket, key, contentType, expiresInSeconds: 60 });
    const otherType = { 'content-type': 'text/html' };
    const refused = await fetch(upload, { method: 'PUT', body: 'x', headers: otherType });
    expect(refused.status).toBe(403);
    const headers = { 'content-type': contentType };
    expect((await fetch(upload, { method: 'PUT', body: 'by URL', headers })).status).toBe(200);
    const fileName = 'Vertrag (1) "ü".pdf';
    const url = await store.presignGet({ bucket, key, fileName, expiresInSeconds: 60 });
    const answer = await fetch(url);
    expect(await answer.text()).toBe('by URL');
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename*=UTF-8''Vertrag%20%281%29%20%22%C3%BC%22.pdf`,
    );
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
  });

  test('an aborted call rejects with the reason', async () => {
    const { store, bucket } = open();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(store.head({ bucket, key: newKey(), signal })).rejects.toThrow('enough');
    const body = Buffer.from('x');
    await expect(store.put({ bucket, key: newKey(), body, signal })).rejects.toThrow('enough');
  });
}
