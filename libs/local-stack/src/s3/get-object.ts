import { createReadStream, openSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { unquoted, type ObjectVersion } from './bucket.ts';
import type { Call } from './call.ts';
import { S3Fault } from './fault.ts';
import { replyEmpty } from './reply.ts';
import type { S3Request } from './s3-request.ts';

/** Up to here a content is read in one step (bytes). */
const oneStepLimit = 1024 * 1024;

const overridable = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

/** GET and HEAD of an object: conditions, one byte range, versions, answer header overrides. */
export async function getObject({ store, request }: Call, response: ServerResponse): Promise<void> {
  const bucket = store.get(request.bucket);
  const version = bucket.find(request.key, request.query.get('versionId'));
  checkReadConditions(request, version);
  const range = parseRange(request.header('range'), version.size);
  const headers = objectHeaders(version);
  if (range === undefined && request.header('x-amz-checksum-mode') === 'ENABLED') {
    if (version.checksum !== undefined) headers[version.checksum.name] = version.checksum.value;
  }
  for (const name of overridable) {
    const value = request.query.get(`response-${name}`);
    if (value !== undefined) headers[name] = value;
  }
  const start = range?.start ?? 0;
  const length = range?.length ?? version.size;
  headers['content-length'] = String(length);
  if (range !== undefined) {
    headers['content-range'] = `bytes ${start}-${start + length - 1}/${version.size}`;
  }
  const status = range === undefined ? 200 : 206;
  if (request.method === 'HEAD') {
    response.writeHead(status, headers).end();
  } else if (length <= oneStepLimit) {
    const content = bucket.read(version, start, length);
    response.writeHead(status, headers).end(content);
  } else {
    const content = createReadStream('', {
      fd: openSync(version.path, 'r'), // now: a later write may remove the file
      start,
      end: start + length - 1,
      highWaterMark: oneStepLimit,
    });
    response.writeHead(status, headers);
    await pipeline(content, response);
  }
}

/** The headers that describe a version. */
export function objectHeaders(version: ObjectVersion): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'binary/octet-stream',
    ...version.headers,
    etag: version.etag,
    'last-modified': new Date(version.modifiedAt).toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (version.versionId !== null) headers['x-amz-version-id'] = version.versionId;
  return headers;
}

const matches = (list: string, etag: string): boolean =>
  list.split(',').some((one) => one.trim() === '*' || unquoted(one.trim()) === unquoted(etag));

/** @throws S3Fault `PreconditionFailed`, `NotModified` (RFC 9110 section 13) */
export function checkReadConditions(
  request: S3Request,
  version: ObjectVersion,
  prefix: '' | 'x-amz-copy-source-' = '',
): void {
  const ifMatch = request.header(`${prefix}if-match`);
  if (ifMatch !== undefined && !matches(ifMatch, version.etag)) {
    throw new S3Fault('PreconditionFailed', 'If-Match does not hold.');
  }
  const ifNoneMatch = request.header(`${prefix}if-none-match`);
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, version.etag)) {
    throw prefix === ''
      ? new S3Fault('NotModified', 'Not modified.', { etag: version.etag })
      : new S3Fault('PreconditionFailed', 'If-None-Match does not hold.');
  }
}

/** One range of RFC 9110 section 14.1.2; several ranges or another unit: the whole object. */
export function parseRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly length: number } | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end) {
    const range = { 'content-range': `bytes */${size}` };
    throw new S3Fault('InvalidRange', 'The requested range is not satisfiable.', range);
  }
  return { start, length: end - start + 1 };
}

/** DELETE of an object or of one of its versions. */
export function deleteObject({ store, request }: Call, response: ServerResponse): void {
  const bucket = store.get(request.bucket);
  const { versionId, deleteMarker } = bucket.delete(request.key, request.query.get('versionId'));
  replyEmpty(response, 204, {
    ...(versionId === undefined ? {} : { 'x-amz-version-id': versionId }),
    ...(deleteMarker ? { 'x-amz-delete-marker': 'true' } : {}),
  });
}
