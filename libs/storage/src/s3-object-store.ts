import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  type GetObjectCommandOutput,
  type HeadObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { StorageError } from './error.ts';
import type { ObjectContent, ObjectHead, ObjectLocation, ObjectStore } from './object-store.ts';
import { readBounded } from './read-bounded.ts';
import { requestBody } from './request-body.ts';
import { toStorageError } from './to-storage-error.ts';

/** Where an S3 is and who we are there. */
export interface S3StoreConfig {
  /** Default: AWS. */
  readonly endpoint?: string;
  readonly region: string;
  /** Default: the SDK's own search (environment, instance role, …). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** `https://host/bucket` instead of `https://bucket.host`. */
  readonly forcePathStyle?: boolean;
  /** Default 50. */
  readonly maxConnections?: number;
  /** Until the answer begins; default 30,000. */
  readonly requestTimeoutMs?: number;
}

const connectTimeoutMs = 5000;

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

/** An {@link ObjectStore} in any store that speaks the S3 API. */
export function s3ObjectStore(config: S3StoreConfig): ObjectStore {
  const client = s3Client(config);
  const send = async <T>(
    operation: string,
    signal: AbortSignal | undefined,
    call: (options: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> => {
    try {
      return await call(signal === undefined ? {} : { abortSignal: signal });
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw error instanceof StorageError ? error : toStorageError(error, operation);
    }
  };
  return {
    head: (location) =>
      send('head', location.signal, async (options) =>
        headOf(await client.send(new HeadObjectCommand(inputOf(location)), options)),
      ),
    get: (location) =>
      send('get', location.signal, async (options) => {
        const answer = await client.send(new GetObjectCommand(inputOf(location)), options);
        const { maxBytes = Infinity, signal } = location;
        return { ...headOf(answer), bytes: await contentOf(answer, maxBytes, signal) };
      }),
    put: (content) =>
      send('put', content.signal, async (options) => {
        const { ETag, VersionId } = await client.send(putCommand(content), options);
        return { etag: ETag ?? '', ...(VersionId === undefined ? {} : { versionId: VersionId }) };
      }),
    presignGet: (options) => {
      const command = new GetObjectCommand({ ...inputOf(options), ...dispositionOf(options) });
      return getSignedUrl(client, command, { expiresIn: options.expiresInSeconds });
    },
    presignPut: ({ bucket, key, contentType, expiresInSeconds }) => {
      const type = contentType === undefined ? {} : { ContentType: contentType };
      const command = new PutObjectCommand({ Bucket: bucket, Key: key, ...type });
      const signableHeaders = new Set(['host', 'content-type']);
      return getSignedUrl(client, command, { expiresIn: expiresInSeconds, signableHeaders });
    },
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}

function s3Client(config: S3StoreConfig): S3Client {
  const agent = { keepAlive: true, maxSockets: config.maxConnections ?? 50 };
  const requestTimeout = config.requestTimeoutMs ?? 30_000;
  return new S3Client({
    region: config.region,
    forcePathStyle: config.forcePathStyle ?? false,
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    ...(config.credentials === undefined ? {} : { credentials: config.credentials }),
    // Once more for a kept connection that the server has just closed; beyond that the job decides.
    maxAttempts: 2,
    logger: silent, // what goes wrong is thrown
    // The signature covers SHA-256 of the content already.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      requestTimeout,
      throwOnRequestTimeout: true,
      socketTimeout: requestTimeout,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    },
  });
}

const dispositionOf = ({ fileName }: { readonly fileName?: string }) =>
  fileName === undefined
    ? {}
    : { ResponseContentDisposition: `attachment; filename*=UTF-8''${encodeRfc8187(fileName)}` };

const inputOf = ({ bucket, key, versionId }: ObjectLocation) => ({
  Bucket: bucket,
  Key: key,
  ...(versionId === undefined ? {} : { VersionId: versionId }),
});

function headOf(answer: HeadObjectCommandOutput | GetObjectCommandOutput): ObjectHead {
  return {
    size: answer.ContentLength ?? 0,
    etag: answer.ETag ?? '',
    metadata: answer.Metadata ?? {},
    ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }),
    ...(answer.ContentType === undefined ? {} : { contentType: answer.ContentType }),
  };
}

async function contentOf(
  answer: GetObjectCommandOutput,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { Body: body, ContentLength: size } = answer;
  if (!(body instanceof Readable)) throw new StorageError('unavailable', 'get: no content came');
  if (size === undefined || size > maxBytes) {
    body.destroy();
    if (size === undefined) throw new StorageError('unavailable', 'get: the size was not told');
    throw new StorageError('too_large', 'get: the object is too large', {
      details: { size, maxBytes },
    });
  }
  return readBounded(body, size, signal);
}

function putCommand(content: ObjectContent): PutObjectCommand {
  const { body, size, sha256 } = requestBody(content.body, content.sha256);
  const command = new PutObjectCommand({
    Bucket: content.bucket,
    Key: content.key,
    Body: body,
    ContentLength: size,
    ContentType: content.contentType ?? 'application/octet-stream',
    ...(content.metadata === undefined ? {} : { Metadata: content.metadata }),
    ...(content.ifNoneMatch === true ? { IfNoneMatch: '*' } : {}),
  });
  if (sha256 !== undefined) {
    command.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        headers['x-amz-content-sha256'] = sha256;
        return next(args);
      },
      { step: 'build', name: 'signfleetContentHash' },
    );
  }
  return command;
}

/** RFC 8187 section 3.2.1 */
const encodeRfc8187 = (text: string): string =>
  encodeURIComponent(text).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
