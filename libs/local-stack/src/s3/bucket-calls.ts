import type { ServerResponse } from 'node:http';
import type { Call } from './call.ts';
import { S3Fault } from './fault.ts';
import { receivePayload } from './payload.ts';
import { replyEmpty, replyXml } from './reply.ts';
import { xmlElements, xmlText } from './xml.ts';

/** The small XML body of a call. */
async function bodyText({ request, signedHash }: Call): Promise<string> {
  if (request.header('content-length') === undefined) return '';
  if (Number(request.header('content-length')) > 1024 * 1024) {
    throw new S3Fault('EntityTooLarge', 'The body of this call is limited to 1 MiB.');
  }
  const { content } = await receivePayload(request, signedHash, '');
  return 'chunks' in content ? Buffer.concat(content.chunks).toString() : '';
}

/** GET / */
export function listBuckets({ store }: Call, response: ServerResponse): void {
  const buckets = store.all().map((bucket) => ({
    Name: bucket.name,
    CreationDate: new Date(bucket.createdAt).toISOString(),
  }));
  replyXml(response, 'ListAllMyBucketsResult', { Buckets: { Bucket: buckets } });
}

/** PUT of a bucket. */
export async function createBucket(call: Call, response: ServerResponse): Promise<void> {
  await bodyText(call);
  const bucket = call.store.create(call.request.bucket);
  replyEmpty(response, 200, { location: `/${bucket.name}` });
}

/** HEAD of a bucket. */
export function headBucket({ store, request }: Call, response: ServerResponse): void {
  store.get(request.bucket);
  replyEmpty(response, 200);
}

/** DELETE of a bucket. */
export function deleteBucket({ store, request }: Call, response: ServerResponse): void {
  store.delete(request.bucket);
  replyEmpty(response, 204);
}

/** GET ?location */
export function getLocation({ store, request }: Call, response: ServerResponse): void {
  store.get(request.bucket);
  replyXml(response, 'LocationConstraint', {});
}

/** GET ?versioning */
export function getVersioning({ store, request }: Call, response: ServerResponse): void {
  const status = store.get(request.bucket).versioning ? { Status: 'Enabled' } : {};
  replyXml(response, 'VersioningConfiguration', status);
}

/** PUT ?versioning */
export async function putVersioning(call: Call, response: ServerResponse): Promise<void> {
  const bucket = call.store.get(call.request.bucket);
  bucket.versioning = xmlText(await bodyText(call), 'Status') === 'Enabled';
  replyEmpty(response, 200);
}

/** POST ?delete */
export async function deleteObjects(call: Call, response: ServerResponse): Promise<void> {
  const bucket = call.store.get(call.request.bucket);
  const xml = await bodyText(call);
  const deleted = xmlElements(xml, 'Object').map((element) => {
    const key = xmlText(element, 'Key');
    if (key === undefined) throw new S3Fault('MalformedXML', 'An object has no key.');
    const { deleteMarker } = bucket.delete(key, xmlText(element, 'VersionId'));
    return { Key: key, ...(deleteMarker ? { DeleteMarker: true } : {}) };
  });
  const quiet = xmlText(xml, 'Quiet') === 'true';
  replyXml(response, 'DeleteResult', { Deleted: quiet ? [] : deleted });
}
