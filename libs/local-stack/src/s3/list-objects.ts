import type { ServerResponse } from 'node:http';
import type { Bucket, ObjectVersion } from './bucket.ts';
import type { Call } from './call.ts';
import { uriEncode } from './canonical-request.ts';
import { S3Fault } from './fault.ts';
import { replyXml } from './reply.ts';
import type { S3Request } from './s3-request.ts';
import type { XmlFields } from './xml.ts';

/** The index of the first element that is greater than `text` (or equal to it). */
function firstAfter(sorted: readonly string[], text: string, inclusive: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = sorted[middle] ?? '';
    if (inclusive ? value < text : value <= text) low = middle + 1;
    else high = middle;
  }
  return low;
}

function pageSize(request: S3Request): number {
  const size = Number(request.query.get('max-keys') ?? 1000);
  if (!Number.isInteger(size) || size < 0) throw new S3Fault('InvalidArgument', 'Bad max-keys.');
  return Math.min(size, 1000);
}

interface Page {
  readonly versions: ObjectVersion[];
  readonly prefixes: string[];
  /** The last key that the page covers; set if more keys follow. */
  readonly next: string | undefined;
}

function pageOf(
  bucket: Bucket,
  o: { prefix: string; delimiter: string; after: string | undefined; limit: number },
): Page {
  const { prefix, delimiter, after, limit } = o;
  const keys = bucket.keys();
  const versions: ObjectVersion[] = [];
  const prefixes: string[] = [];
  let last = '';
  let index = firstAfter(keys, prefix, true);
  if (after !== undefined && after >= prefix) index = firstAfter(keys, after, false);
  for (; index < keys.length; index += 1) {
    const key = keys[index] ?? '';
    if (!key.startsWith(prefix)) break;
    const version = bucket.current(key);
    if (version === undefined) continue;
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const common = end < 0 ? undefined : key.slice(0, end + delimiter.length);
    if (common !== undefined && after?.startsWith(common) === true) continue;
    const isNew = common === undefined || prefixes.at(-1) !== common;
    if (isNew && versions.length + prefixes.length === limit)
      return { versions, prefixes, next: last };
    last = key;
    if (common === undefined) versions.push(version);
    else if (isNew) prefixes.push(common);
  }
  return { versions, prefixes, next: undefined };
}

/** GET ?list-type=2 */
export function listObjects({ store, request }: Call, response: ServerResponse): void {
  const prefix = request.query.get('prefix') ?? '';
  const delimiter = request.query.get('delimiter') ?? '';
  const token = request.query.get('continuation-token');
  const url = request.query.get('encoding-type') === 'url';
  const shown = (key: string): string => (url ? uriEncode(key).replaceAll('%2F', '/') : key);
  const limit = pageSize(request);
  const after =
    token === undefined
      ? request.query.get('start-after')
      : Buffer.from(token, 'base64url').toString();
  const { versions, prefixes, next } =
    limit === 0
      ? { versions: [], prefixes: [], next: undefined }
      : pageOf(store.get(request.bucket), { prefix, delimiter, after, limit });
  replyXml(response, 'ListBucketResult', {
    Name: request.bucket,
    Prefix: shown(prefix),
    Delimiter: delimiter === '' ? undefined : shown(delimiter),
    EncodingType: url ? 'url' : undefined,
    MaxKeys: limit,
    KeyCount: versions.length + prefixes.length,
    IsTruncated: next !== undefined,
    NextContinuationToken: next === undefined ? undefined : Buffer.from(next).toString('base64url'),
    Contents: versions.map((version) => ({
      Key: shown(version.key),
      LastModified: new Date(version.modifiedAt).toISOString(),
      ETag: version.etag,
      Size: version.size,
      StorageClass: 'STANDARD',
    })),
    CommonPrefixes: prefixes.map((one) => ({ Prefix: shown(one) })),
  });
}

/** GET ?versions: newest first within a key. */
export function listVersions({ store, request }: Call, response: ServerResponse): void {
  const bucket = store.get(request.bucket);
  const prefix = request.query.get('prefix') ?? '';
  const marker = request.query.get('key-marker');
  const limit = pageSize(request);
  const keys = bucket.keys();
  const versions: XmlFields[] = [];
  const markers: XmlFields[] = [];
  let last: string | undefined;
  let index =
    marker === undefined || marker < prefix
      ? firstAfter(keys, prefix, true)
      : firstAfter(keys, marker, false);
  for (; index < keys.length && versions.length + markers.length < limit; index += 1) {
    const key = keys[index] ?? '';
    if (!key.startsWith(prefix)) break;
    last = key; // a page ends between keys, so it may be a little longer than asked
    for (const [age, version] of bucket.versionsOf(key).toReversed().entries()) {
      const common = {
        Key: key,
        VersionId: version.versionId ?? 'null',
        IsLatest: age === 0,
        LastModified: new Date(version.modifiedAt).toISOString(),
      };
      if (version.deleteMarker) markers.push(common);
      else versions.push({ ...common, ETag: version.etag, Size: version.size });
    }
  }
  const truncated = index < keys.length && keys[index]?.startsWith(prefix) === true;
  replyXml(response, 'ListVersionsResult', {
    Name: bucket.name,
    Prefix: prefix,
    MaxKeys: limit,
    IsTruncated: truncated,
    ...(truncated ? { NextKeyMarker: last } : {}),
    Version: versions,
    DeleteMarker: markers,
  });
}
