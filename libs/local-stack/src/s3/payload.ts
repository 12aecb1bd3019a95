import { createHash, type Hash } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { decodeAwsChunked } from './aws-chunked.ts';
import { S3Fault } from './fault.ts';
import type { S3Request } from './s3-request.ts';

/** A received and checked body: in memory when small, in a temporary file when not. */
export interface Payload {
  readonly size: number;
  /** Hex SHA-256 of the content. */
  readonly sha256: string;
  /** The `x-amz-checksum-*` that the sender gave and we have checked, if any. */
  readonly checksum: { readonly name: string; readonly value: string } | undefined;
  readonly content: { readonly chunks: readonly Buffer[] } | { readonly path: string };
}

/** Up to here a body is kept in memory (bytes). */
const memoryLimit = 1024 * 1024;
/** S3's limit for one PUT (bytes). */
const sizeLimit = 5 * 1024 ** 3;

interface Checks {
  readonly sha256: Hash;
  readonly md5: Hash | undefined;
  readonly checksum:
    { readonly name: string; update(data: Buffer): void; value(): string } | undefined;
}

/**
 * Reads the body of a verified request and checks it against everything the sender said about it:
 * length, signed SHA-256, `Content-MD5`, `x-amz-checksum-*` in header or trailer.
 *
 * @param signedHash what the signature covers about the payload
 * @param temporaryPath where a large body is put; the caller moves or deletes it
 */
export async function receivePayload(
  request: S3Request,
  signedHash: string,
  temporaryPath: string,
): Promise<Payload> {
  const chunked = signedHash === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
  if (signedHash.startsWith('STREAMING-') && !chunked) {
    throw new S3Fault('NotImplemented', `${signedHash} is not implemented.`);
  }
  const length = request.header(chunked ? 'x-amz-decoded-content-length' : 'content-length');
  if (length === undefined) throw new S3Fault('MissingContentLength', 'Content-Length is needed.');
  const size = Number(length);
  if (!Number.isSafeInteger(size) || size < 0) throw new S3Fault('InvalidArgument', 'Bad length.');
  if (size > sizeLimit) throw new S3Fault('EntityTooLarge', 'The limit for one PUT is 5 GiB.');
  const checks = expectedChecks(request);
  const trailers = new Map<string, string>();
  const incoming = request.incoming as AsyncIterable<Buffer>;
  const source = chunked ? decodeAwsChunked(incoming, trailers) : incoming;
  const content =
    size <= memoryLimit && !chunked
      ? await collect(request, checks)
      : await spool(source, checks, { size, temporaryPath });
  try {
    return {
      size,
      content,
      ...verified({ request, checks, signedHash, trailers, received: content.size, size }),
    };
  } catch (error) {
    if ('path' in content) await rm(content.path, { force: true });
    throw error;
  }
}

function feed(checks: Checks, data: Buffer): void {
  checks.sha256.update(data);
  checks.md5?.update(data);
  checks.checksum?.update(data);
}

/** The quick way for small bodies: no iterator, no file. */
function collect(request: S3Request, checks: Checks): Promise<{ size: number; chunks: Buffer[] }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.incoming.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      feed(checks, chunk);
    });
    request.incoming.once('end', () => resolve({ size, chunks }));
    request.incoming.once('error', reject);
    request.incoming.once('close', () =>
      reject(new S3Fault('IncompleteBody', 'The sender hung up.')),
    );
  });
}

async function spool(
  source: AsyncIterable<Buffer>,
  checks: Checks,
  o: { size: number; temporaryPath: string },
): Promise<{ size: number; chunks: Buffer[] } | { size: number; path: string }> {
  const chunks: Buffer[] = [];
  let file: FileHandle | undefined;
  let size = 0;
  try {
    if (o.size > memoryLimit) file = await open(o.temporaryPath, 'w');
    for await (const chunk of source) {
      size += chunk.length;
      if (size > o.size) throw new S3Fault('IncompleteBody', 'More bytes came than announced.');
      feed(checks, chunk);
      if (file === undefined) chunks.push(chunk);
      else await file.write(chunk);
    }
  } catch (error) {
    await file?.close();
    await rm(o.temporaryPath, { force: true });
    throw error;
  }
  await file?.close();
  return file === undefined ? { size, chunks } : { size, path: o.temporaryPath };
}

function expectedChecks(request: S3Request): Checks {
  const headers = [...Object.keys(request.incoming.headers), request.header('x-amz-trailer') ?? ''];
  const name = headers.find((header) => /^x-amz-checksum-(crc|sha)/.test(header));
  return {
    sha256: createHash('sha256'),
    md5: request.header('content-md5') === undefined ? undefined : createHash('md5'),
    checksum: name === undefined ? undefined : checksumOf(name),
  };
}

function checksumOf(name: string): NonNullable<Checks['checksum']> {
  if (name === 'x-amz-checksum-crc32') {
    let crc = 0;
    return {
      name,
      update: (data) => {
        crc = crc32(data, crc);
      },
      value: () => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE(crc);
        return bytes.toString('base64');
      },
    };
  }
  const algorithm = name.slice('x-amz-checksum-'.length);
  if (algorithm !== 'sha1' && algorithm !== 'sha256') {
    throw new S3Fault('NotImplemented', `${name} is not implemented.`);
  }
  const hash = createHash(algorithm);
  return { name, update: (data) => void hash.update(data), value: () => hash.digest('base64') };
}

function verified(o: {
  request: S3Request;
  checks: Checks;
  signedHash: string;
  trailers: ReadonlyMap<string, string>;
  received: number;
  size: number;
}): Pick<Payload, 'sha256' | 'checksum'> {
  if (o.received !== o.size)
    throw new S3Fault('IncompleteBody', 'Fewer bytes came than announced.');
  const sha256 = o.checks.sha256.digest('hex');
  if (/^[0-9a-f]{64}$/.test(o.signedHash) && sha256 !== o.signedHash) {
    throw new S3Fault('XAmzContentSHA256Mismatch', 'The body is not the one that was signed.');
  }
  if (
    o.checks.md5 !== undefined &&
    o.checks.md5.digest('base64') !== o.request.header('content-md5')
  ) {
    throw new S3Fault('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
  if (o.checks.checksum === undefined) return { sha256, checksum: undefined };
  const { name } = o.checks.checksum;
  const value = o.checks.checksum.value();
  if (value !== (o.request.header(name) ?? o.trailers.get(name))) {
    throw new S3Fault('BadDigest', `The ${name} you specified did not match what we received.`);
  }
  return { sha256, checksum: { name, value } };
}
