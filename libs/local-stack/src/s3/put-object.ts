import { createHash } from 'node:crypto';
import { constants, copyFile, rm, truncate } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { ObjectVersion, WriteCondition } from './bucket.ts';
import type { BucketStore } from './bucket-store.ts';
import type { Call } from './call.ts';
import { S3Fault } from './fault.ts';
import { checkReadConditions } from './get-object.ts';
import { receivePayload } from './payload.ts';
import { replyEmpty, replyXml } from './reply.ts';
import type { S3Request } from './s3-request.ts';

const kept = [
  'cache-control',
  'content-disposition',
  'content-language',
  'content-type',
  'expires',
];

/** The headers of a write that are kept with the object. */
export function keptHeaders(request: S3Request): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of Object.keys(request.incoming.headers)) {
    if (kept.includes(name) || name.startsWith('x-amz-meta-'))
      headers[name] = request.header(name) ?? '';
  }
  const encoding = request.header('content-encoding')?.replace(/(^|,)\s*aws-chunked\s*(,|$)/, '$1');
  if (encoding !== undefined && encoding !== '') headers['content-encoding'] = encoding;
  return headers;
}

/** The preconditions of a write. */
export function writeCondition(request: S3Request): WriteCondition {
  return { ifMatch: request.header('if-match'), ifNoneMatch: request.header('if-none-match') };
}

/** ETags are the content's SHA-256: it is computed anyway to check the signature, MD5 would cost again as much. */
export const contentEtag = (sha256: string): string => `"${sha256}"`;

const versionHeader = (version: ObjectVersion): Record<string, string> =>
  version.versionId === null ? {} : { 'x-amz-version-id': version.versionId };

/** PUT of an object. */
export async function putObject(
  { store, request, signedHash }: Call,
  response: ServerResponse,
): Promise<void> {
  const bucket = store.get(request.bucket);
  const condition = writeCondition(request);
  bucket.checkCondition(request.key, condition); // refuse early; put() decides
  const payload = await receivePayload(request, signedHash, bucket.temporaryPath());
  const { size, checksum, content } = payload;
  try {
    const version = bucket.put({
      facts: {
        key: request.key,
        size,
        etag: contentEtag(payload.sha256),
        headers: keptHeaders(request),
        checksum,
      },
      content,
      condition,
    });
    const sum = checksum === undefined ? {} : { [checksum.name]: checksum.value };
    replyEmpty(response, 200, { etag: version.etag, ...versionHeader(version), ...sum });
  } catch (error) {
    if ('path' in content) await rm(content.path, { force: true });
    throw error;
  }
}

/** The version that `x-amz-copy-source` names, its read conditions checked. */
export function copySource(store: BucketStore, request: S3Request): ObjectVersion {
  const text = request.header('x-amz-copy-source') ?? '';
  const mark = text.indexOf('?versionId=');
  const path = decodeURIComponent(mark < 0 ? text : text.slice(0, mark)).replace(/^\//, '');
  const slash = path.indexOf('/');
  if (slash < 1) throw new S3Fault('InvalidArgument', 'x-amz-copy-source must be bucket/key.');
  const versionId = mark < 0 ? undefined : text.slice(mark + '?versionId='.length);
  const version = store.get(path.slice(0, slash)).find(path.slice(slash + 1), versionId);
  checkReadConditions(request, version, 'x-amz-copy-source-');
  return version;
}

/** PUT with `x-amz-copy-source`: copies a whole object. */
export async function copyObject(
  { store, request }: Call,
  response: ServerResponse,
): Promise<void> {
  const bucket = store.get(request.bucket);
  const source = copySource(store, request);
  const path = bucket.temporaryPath();
  const replace = request.header('x-amz-metadata-directive') === 'REPLACE';
  try {
    await copyFile(source.path, path, constants.COPYFILE_FICLONE);
    await truncate(path, source.size);
    const version = bucket.put({
      facts: {
        key: request.key,
        size: source.size,
        etag: source.etag,
        headers: replace ? keptHeaders(request) : source.headers,
        checksum: source.checksum,
      },
      content: { path },
      condition: writeCondition(request),
    });
    const modified = new Date(version.modifiedAt).toISOString();
    const result = { LastModified: modified, ETag: version.etag };
    replyXml(response, 'CopyObjectResult', result, versionHeader(version));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** The ETag of an object made of parts. */
export function multipartEtag(etags: readonly string[]): string {
  const hash = createHash('sha256').update(etags.join());
  return `"${hash.digest('hex')}-${etags.length}"`;
}
