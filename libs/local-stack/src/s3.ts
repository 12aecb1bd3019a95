import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalStackError } from './error.ts';
import { freePort, onFreePort } from './free-port.ts';
import { BucketStore } from './s3/bucket-store.ts';
import { createS3Server } from './s3/server.ts';
import { secretFile } from './secret-file.ts';
import { startService } from './service-process.ts';

/** What a local S3 server is started with. */
export interface S3Options {
  /** Private to this server; created if missing. Buckets and credentials in it are reused. */
  readonly directory: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Default: the loopback interface. */
  readonly host?: string;
  readonly region?: string;
  /** Default: made at random and kept in the directory. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Created if missing, with versioning as `versioning` tells. */
  readonly buckets?: readonly string[];
  /** Whether the `buckets` keep every version (default: no). */
  readonly versioning?: boolean;
}

/** A running local S3 server; buckets are addressed path-style. */
export interface LocalS3 {
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  stop(): Promise<void>;
}

async function identity(directory: string, options: S3Options) {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return {
    region: options.region ?? 'us-east-1',
    accessKeyId: options.credentials?.accessKeyId ?? 'signfleet-local',
    secretAccessKey:
      options.credentials?.secretAccessKey ??
      (await secretFile(join(directory, 'secret-access-key'))),
  };
}

/**
 * Serves S3 from this process: objects are files in `directory`, every request's SigV4 signature
 * (header or presigned URL) is verified.
 *
 * @throws LocalStackError `port_in_use`
 */
export async function startS3(options: S3Options): Promise<LocalS3> {
  const directory = resolve(options.directory);
  const credentials = await identity(directory, options);
  const store = new BucketStore(directory);
  for (const name of options.buckets ?? []) {
    const bucket = store.has(name) ? store.get(name) : store.create(name);
    bucket.versioning = options.versioning ?? false;
  }
  const server = createS3Server(store, credentials);
  const host = options.host ?? '127.0.0.1';
  const port = await onFreePort(options.port, async (wanted) => {
    await new Promise<void>((done, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const code = cause.code === 'EADDRINUSE' ? 'port_in_use' : 'start_failed';
        reject(new LocalStackError(code, `S3: ${cause.message}`, { cause }));
      });
      server.listen({ port: wanted, host }, done);
    });
    return wanted;
  });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= new Promise<void>((done) => {
      server.close(() => done());
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 1000).unref();
    }));
  return { endpoint: `http://${host}:${port}`, port, ...credentials, stop };
}

/**
 * Serves S3 from a process of its own (s3-command.ts), which can be killed and started again on
 * the same directory and port.
 *
 * @throws LocalStackError
 */
export async function startS3Process(
  options: S3Options,
): Promise<LocalS3 & { readonly pid: number }> {
  const directory = resolve(options.directory);
  const { secretAccessKey, ...known } = await identity(directory, options);
  const host = options.host ?? '127.0.0.1';
  const port = options.port ?? (await freePort());
  const endpoint = `http://${host}:${port}`;
  const service = await startService({
    name: 's3',
    directory,
    command: process.execPath,
    args: [
      ...[
        '--import',
        fileURLToPath(import.meta.resolve('tsx')),
        fileURLToPath(new URL('s3-command.ts', import.meta.url)),
      ],
      ...['--directory', directory, '--host', host, '--port', String(port)],
      ...['--region', known.region, '--versioning', String(options.versioning ?? false)],
      ...(options.buckets ?? []).flatMap((bucket) => ['--bucket', bucket]),
    ],
    environment: {
      ...process.env,
      S3_ACCESS_KEY_ID: known.accessKeyId,
      S3_SECRET_ACCESS_KEY: secretAccessKey,
    },
    stopSignals: ['SIGTERM'],
    ready: () =>
      fetch(endpoint).then(
        (response) => response.status === 403,
        () => false,
      ),
  });
  return { endpoint, port, ...known, secretAccessKey, ...service };
}
