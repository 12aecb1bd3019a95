import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import {
  constants,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { unquoted, type Bucket } from './bucket.ts';
import type { BucketStore } from './bucket-store.ts';
import type { Call } from './call.ts';
import { S3Fault } from './fault.ts';
import { parseRange } from './get-object.ts';
import { receivePayload } from './payload.ts';
import {
  contentEtag,
  copySource,
  keptHeaders,
  multipartEtag,
  writeCondition,
} from './put-object.ts';
import { replyEmpty, replyXml } from './reply.ts';
import type { S3Request } from './s3-request.ts';
import { xmlElements, xmlText } from './xml.ts';

/** Every part but the last has at least this many bytes. */
const minPartBytes = 5 * 1024 * 1024;

interface UploadFacts {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Part {
  readonly number: number;
  readonly etag: string;
  readonly path: string;
}

/** POST ?uploads */
export async function createUpload(
  { store, request }: Call,
  response: ServerResponse,
): Promise<void> {
  const bucket = store.get(request.bucket);
  const uploadId = randomBytes(24).toString('hex');
  const folder = join(bucket.directory, 'uploads', uploadId);
  await mkdir(folder);
  const facts: UploadFacts = { key: request.key, headers: keptHeaders(request) };
  await writeFile(join(folder, 'upload.json'), JSON.stringify(facts));
  const result = { Bucket: bucket.name, Key: request.key, UploadId: uploadId };
  replyXml(response, 'InitiateMultipartUploadResult', result);
}

async function openUpload(
  bucket: Bucket,
  request: S3Request,
): Promise<{ folder: string; facts: UploadFacts }> {
  const uploadId = request.query.get('uploadId') ?? '';
  const folder = join(bucket.directory, 'uploads', uploadId);
  if (/^[0-9a-f]{48}$/.test(uploadId) && existsSync(join(folder, 'upload.json'))) {
    const text = await readFile(join(folder, 'upload.json'), 'utf8');
    const facts = JSON.parse(text) as UploadFacts;
    if (facts.key === request.key) return { folder, facts };
  }
  throw new S3Fault('NoSuchUpload', 'The specified upload does not exist.');
}

/** PUT ?partNumber&uploadId, from the body or from `x-amz-copy-source`. */
export async function uploadPart(
  { store, request, signedHash }: Call,
  response: ServerResponse,
): Promise<void> {
  const bucket = store.get(request.bucket);
  const { folder } = await openUpload(bucket, request);
  const number = Number(request.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new S3Fault('InvalidArgument', 'Part number must be between 1 and 10000.');
  }
  const path = bucket.temporaryPath();
  const copied = request.header('x-amz-copy-source') !== undefined;
  try {
    const etag = copied
      ? await copyPart(store, request, path)
      : await receivePart(request, signedHash, path);
    await rename(path, join(folder, `${number}.${unquoted(etag)}`));
    if (copied) {
      const result = { LastModified: new Date().toISOString(), ETag: etag };
      replyXml(response, 'CopyPartResult', result);
    } else replyEmpty(response, 200, { etag });
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function receivePart(request: S3Request, signedHash: string, path: string): Promise<string> {
  const payload = await receivePayload(request, signedHash, path);
  if ('chunks' in payload.content) await writeFile(path, payload.content.chunks);
  return contentEtag(payload.sha256);
}

async function copyPart(store: BucketStore, request: S3Request, path: string): Promise<string> {
  const source = copySource(store, request);
  const range = parseRange(request.header('x-amz-copy-source-range'), source.size);
  if (range === undefined || (range.start === 0 && range.length === source.size)) {
    await copyFile(source.path, path, constants.COPYFILE_FICLONE);
    await truncate(path, source.size);
    return contentEtag(createHash('sha256').update(source.etag).digest('hex'));
  }
  const end = range.start + range.length - 1;
  const hash = createHash('sha256');
  const content = createReadStream(source.path, { start: range.start, end });
  content.on('data', (chunk) => hash.update(chunk));
  await pipeline(content, createWriteStream(path));
  return contentEtag(hash.digest('hex'));
}

async function listedParts(folder: string): Promise<Part[]> {
  const names = (await readdir(folder)).filter((name) => /^\d+\./.test(name));
  const parts = names.map((name) => {
    const dot = name.indexOf('.');
    return {
      number: Number(name.slice(0, dot)),
      etag: name.slice(dot + 1),
      path: join(folder, name),
    };
  });
  return parts.sort((a, b) => a.number - b.number);
}

/** POST ?uploadId: joins the parts named in the body into the object. */
export async function completeUpload(
  { store, request, signedHash }: Call,
  response: ServerResponse,
): Promise<void> {
  const bucket = store.get(request.bucket);
  const { folder, facts } = await openUpload(bucket, request);
  const condition = writeCondition(request);
  bucket.checkCondition(request.key, condition);
  const path = bucket.temporaryPath();
  const parts = await namedParts(request, signedHash, folder);
  try {
    const [first, ...others] = parts;
    if (first === undefined) throw new S3Fault('MalformedXML', 'No part is named.');
    await copyFile(first.path, path, constants.COPYFILE_FICLONE);
    for (const part of others)
      await pipeline(createReadStream(part.path), createWriteStream(path, { flags: 'a' }));
    const { size } = await stat(path);
    const etag = multipartEtag(parts.map((part) => part.etag));
    const version = bucket.put({
      facts: { key: request.key, size, etag, headers: facts.headers },
      content: { path },
      condition,
    });
    await rm(folder, { recursive: true, force: true });
    const result = { Bucket: bucket.name, Key: request.key, ETag: version.etag };
    const header = version.versionId === null ? {} : { 'x-amz-version-id': version.versionId };
    replyXml(response, 'CompleteMultipartUploadResult', result, header);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function namedParts(request: S3Request, signedHash: string, folder: string): Promise<Part[]> {
  const payload = await receivePayload(request, signedHash, join(folder, 'body'));
  const { content } = payload;
  const xml =
    'chunks' in content
      ? Buffer.concat(content.chunks).toString()
      : await readText(createReadStream(content.path));
  const existing = await listedParts(folder);
  const parts: Part[] = [];
  for (const element of xmlElements(xml, 'Part')) {
    const number = Number(xmlText(element, 'PartNumber'));
    const etag = unquoted(xmlText(element, 'ETag') ?? '');
    const part = existing.find((one) => one.number === number && one.etag === etag);
    if (part === undefined) throw new S3Fault('InvalidPart', `Part ${number} was not uploaded.`);
    if (number <= (parts.at(-1)?.number ?? 0)) {
      throw new S3Fault('InvalidPartOrder', 'The parts are not in ascending order.');
    }
    parts.push(part);
  }
  for (const part of parts.slice(0, -1)) {
    if ((await stat(part.path)).size < minPartBytes) {
      throw new S3Fault('InvalidRequest', 'A part that is not the last is smaller than 5 MiB.');
    }
  }
  return parts;
}

/** DELETE ?uploadId */
export async function abortUpload(
  { store, request }: Call,
  response: ServerResponse,
): Promise<void> {
  const bucket = store.get(request.bucket);
  const { folder } = await openUpload(bucket, request);
  await rm(folder, { recursive: true, force: true });
  replyEmpty(response, 204);
}

/** GET ?uploadId */
export async function listParts({ store, request }: Call, response: ServerResponse): Promise<void> {
  const bucket = store.get(request.bucket);
  const { folder } = await openUpload(bucket, request);
  const parts = [];
  for (const part of await listedParts(folder)) {
    const { size } = await stat(part.path);
    parts.push({ PartNumber: part.number, ETag: `"${part.etag}"`, Size: size });
  }
  replyXml(response, 'ListPartsResult', {
    Bucket: bucket.name,
    Key: request.key,
    UploadId: request.query.get('uploadId'),
    IsTruncated: false,
    Part: parts,
  });
}
