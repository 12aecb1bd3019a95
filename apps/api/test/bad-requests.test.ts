import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addUserWithKey } from './support/enrol.ts';
import type { Answer } from './support/answer.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let api: TestApi;
let keyId: string;
beforeAll(async () => {
  api = await startTestApi({ S3_ALLOWED_BUCKETS: 'docs,signfleet' });
  ({ keyId } = await addUserWithKey(api));
});
afterAll(() => api.stop());

const source = { bucket: 'docs', key: 'a.pdf' };

function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.code]).toEqual([status, code]);
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(answer.body).toMatchObject({ status, type: `urn:signfleet:problem:${code}` });
  expect(answer.string('requestId')).toBe(answer.headers['x-request-id']);
}

/** Bodies of POST /v1/signings, each with the place and the kind of its fault. */
const bodies: readonly (readonly [string, (key: string) => unknown, string, string])[] = [
  ['unknown field', (id) => ({ keyId: id, source, foo: 1 }), '/foo', 'unknown_field'],
  [
    'unknown field inside',
    (id) => ({ keyId: id, source: { ...source, 'a/b~c': 1 } }),
    '/source/a~1b~0c',
    'unknown_field',
  ],
  ['wrong type', () => ({ keyId: 7, source }), '/keyId', 'invalid_type'],
  ['missing field', (id) => ({ keyId: id }), '/source', 'required'],
  [
    'missing inside',
    (id) => ({ keyId: id, source: { bucket: 'docs' } }),
    '/source/key',
    'required',
  ],
  ['an array', () => [], '', 'invalid_type'],
  ['null', () => null, '', 'required'],
  ['text', () => 'text', '', 'invalid_type'],
  [
    'bad bucket',
    (id) => ({ keyId: id, source: { ...source, bucket: 'Not_A_Bucket' } }),
    '/source/bucket',
    'invalid_format',
  ],
  [
    'control character',
    (id) => ({ keyId: id, source: { ...source, key: 'a\u0000' } }),
    '/source/key',
    'invalid_format',
  ],
  [
    'bad hash',
    (id) => ({ keyId: id, source: { ...source, sha256: 'AB' } }),
    '/source/sha256',
    'invalid_format',
  ],
  [
    'bad field name',
    (id) => ({ keyId: id, source, fieldName: 'a.b' }),
    '/fieldName',
    'invalid_format',
  ],
  ['text too long', (id) => ({ keyId: id, source, reason: 'x'.repeat(257) }), '/reason', 'too_big'],
  [
    'bad metadata',
    (id) => ({ keyId: id, source, metadata: { a: { b: 1 } } }),
    '/metadata/a',
    'invalid_type',
  ],
  [
    'both key and user',
    (id) => ({ keyId: id, userId: 'usr_00000000', source }),
    '/keyId',
    'invalid_value',
  ],
];

describe('POST /v1/signings names the bad field', () => {
  test.each(bodies)('%s', async (_name, body, pointer, code) => {
    const answer = await api.call('POST', '/v1/signings', {
      body: JSON.stringify(body(keyId)),
    });
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.errors).toMatchObject([{ in: 'body', pointer, code }]);
  });

  test('every bad field at once', async () => {
    const body = { keyId: 1, source: { bucket: 2, key: 3 }, x: 4, y: 5 };
    const answer = await api.call('POST', '/v1/signings', { body });
    expect(answer.errors.map((error) => error['pointer']).sort()).toEqual(
      ['/keyId', '/source/bucket', '/source/key', '/x', '/y'].sort(),
    );
  });

  test('a thousand unknown fields do not make a huge answer', async () => {
    const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}`, i]));
    const answer = await api.call('POST', '/v1/signings', { body: fields });
    expect(answer.errors).toHaveLength(100);
  });
});

describe('bodies that are none', () => {
  test.each(['{', '{"a":1}x', '', 'undefined', "{'a':1}", '{"a":1,}', '\u0000'])(
    'malformed JSON %j',
    async (body) => {
      expectProblem(await api.call('POST', '/v1/users', { body }), 400, 'malformed_json');
    },
  );

  test('no body at all is a missing body', async () => {
    const answer = await api.call('POST', '/v1/users');
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.errors).toMatchObject([{ in: 'body', pointer: '', code: 'required' }]);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'media type %s',
    async (type) => {
      const answer = await api.call('POST', '/v1/users', {
        body: 'name=x',
        headers: { 'content-type': type },
      });
      expectProblem(answer, 415, 'unsupported_media_type');
    },
  );

  test('a prototype cannot be smuggled in', async () => {
    const body = '{"name":"x","__proto__":{"admin":true}}';
    expectProblem(await api.call('POST', '/v1/users', { body }), 400, 'malformed_json');
    const nested = `{"keyId":"${keyId}","source":{"bucket":"docs","key":"a"},"metadata":{"constructor":{"prototype":{}}}}`;
    expect((await api.call('POST', '/v1/signings', { body: nested })).status).toBe(400);
  });

  test('too large: 256 KiB for one, 16 MiB for a batch', async () => {
    const users = await api.call('POST', '/v1/users', { body: { name: 'x'.repeat(300_000) } });
    expectProblem(users, 413, 'body_too_large');
    const items = [{ keyId, source, reason: 'x'.repeat(17_000_000) }];
    const batch = await api.call('POST', '/v1/batches', { body: { items } });
    expectProblem(batch, 413, 'body_too_large');
  });
});

describe('queries and paths', () => {
  test.each([
    ['/v1/signings?foo=1', '/foo'],
    ['/v1/signings?limit=0', '/limit'],
    ['/v1/signings?limit=201', '/limit'],
    ['/v1/signings?limit=abc', '/limit'],
    ['/v1/signings?state=done', '/state'],
    ['/v1/signings?createdAfter=yesterday', '/createdAfter'],
    ['/v1/signings?state=queued&state=failed', '/state'],
    ['/v1/signings?cursor=zzz', '/cursor'],
    ['/v1/events?cursor=aWQ6c2lnXzAwMDAwMDAw', '/cursor'],
    ['/v1/audit?cursor=aWQ6c2lnXzAwMDAwMDAw', '/cursor'],
    ['/v1/audit?limit=1001', '/limit'],
  ])('%s', async (path, pointer) => {
    const answer = await api.call('GET', path);
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.errors).toMatchObject([{ in: 'query', pointer }]);
  });

  test.each([
    '/v1/signings/sig_%00aaaaaaaa',
    '/v1/signings/..%2F..%2Fetc',
    "/v1/signings/sig_'or'1'='1",
    `/v1/signings/${'s'.repeat(300)}`,
    '/v1/signings/%ff',
    '/v1/signings/usr_00000000000000000000000000000000',
  ])('an impossible id is a 404: %s', async (path) => {
    expectProblem(await api.call('GET', path), 404, 'not_found');
  });

  test('a method that a path does not have is a 404', async () => {
    expectProblem(await api.call('PUT', '/v1/users'), 404, 'not_found');
  });
});

test('a bucket outside the allowed list is refused, as source and as destination', async () => {
  const elsewhere = { bucket: 'elsewhere', key: 'a.pdf' };
  const from = await api.call('POST', '/v1/signings', { body: { keyId, source: elsewhere } });
  expectProblem(from, 422, 'object_not_allowed');
  const body = { keyId, source, destination: elsewhere };
  expectProblem(await api.call('POST', '/v1/signings', { body }), 422, 'object_not_allowed');
});

test('a reasonable request id is kept, a hostile one replaced', async () => {
  const kept = await api.call('GET', '/v1/users', {
    headers: { 'x-request-id': 'trace-0815-4711' },
  });
  expect(kept.headers['x-request-id']).toBe('trace-0815-4711');
  const hostile = await api.call('GET', '/v1/users', { headers: { 'x-request-id': 'a b"}{' } });
  expect(hostile.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
});

test('none of all this was a fault of the server', () => {
  expect(api.logLines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
});
