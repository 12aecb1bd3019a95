import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { ResourceStack } from '@signfleet/errors';
import {
  startPostgres,
  startRedis,
  startS3,
  stopLeftover,
  type LocalS3,
} from '@signfleet/local-stack';
import { CliError } from '../error.ts';
import { localApiFile, type LocalApi } from '../connection.ts';
import { openVault } from './vault.ts';
import { startSignfleetProcess, type SignfleetProcess } from './signfleet-process.ts';

/** A whole signfleet on this machine: services, HSM, API, a signing and a provisioning worker. */
export interface LocalStack {
  readonly api: { readonly url: string; readonly apiKeyFile: string };
  /** PEM file of the built-in CA, the trust anchor for verification. */
  readonly caCertificateFile: string;
  close(): Promise<void>;
}

export interface LocalStackOptions {
  /** Tells what comes next. */
  readonly onStep: (step: string) => void;
  /** Where jobs wait: in the same PostgreSQL as the records (default), or in a redis-server. */
  readonly queue?: 'postgres' | 'redis';
}

const run = promisify(execFile);
const app = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/**
 * Starts everything under `folder`, an absolute path, reusing the data that is there.
 * When a step fails, what was started is stopped again.
 */
export async function startLocalStack(
  folder: string,
  options: LocalStackOptions,
): Promise<LocalStack> {
  const resources = new ResourceStack();
  try {
    return await start(folder, options, resources);
  } catch (cause) {
    await resources.close();
    throw cause;
  }
}

/** Names of the folders in which a process of the stack may run. */
const serviceFolders = ['postgres', 'redis', 'api', 'signer', 'provisioner'] as const;

/**
 * Throws away all data of the stack under `folder`, its keys included.
 *
 * @throws LocalStackError `directory_in_use` while the stack is up.
 */
export async function removeLocalStack(folder: string): Promise<void> {
  for (const name of serviceFolders) await stopLeftover(join(folder, name), ['SIGTERM']);
  await rm(folder, { recursive: true, force: true });
}

async function start(
  folder: string,
  options: LocalStackOptions,
  resources: ResourceStack,
): Promise<LocalStack> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const started = <Service extends { stop(): Promise<void> }>(name: string, service: Service) =>
    resources.use(name, service, (running) => running.stop());

  const { onStep } = options;
  onStep('PostgreSQL, object store, HSM and key ceremony');
  const [postgres, s3, vault] = await together([
    startPostgres({ directory: join(folder, 'postgres') }).then(async (one) => {
      started('postgres', one);
      await migrate(one.url);
      return one;
    }),
    startS3({ directory: join(folder, 's3'), buckets: ['signfleet'] }).then((one) =>
      started('s3', one),
    ),
    openVault(join(folder, 'hsm')),
  ]);
  onStep('API and workers');
  const queueUrl =
    options.queue === 'redis'
      ? started('redis', await startRedis({ directory: join(folder, 'redis') })).url
      : postgres.url;
  const shared = {
    ...(await sharedEnvironment(folder, postgres.url, s3)),
    QUEUE_URL: queueUrl,
  };
  const apiKeyFile = join(folder, 'api-key');
  const signerEnvironment = { ...shared, ...vault.signing };
  const provisionerEnvironment = { ...shared, ...vault.provisioning };
  const [api] = await together([
    startApi(folder, shared, apiKeyFile).then((one) => started('api', one)),
    startWorker(folder, 'signer', signerEnvironment).then((one) => started('signer', one)),
    startWorker(folder, 'provisioner', provisionerEnvironment).then((one) =>
      started('provisioner', one),
    ),
  ]);
  const url = `http://127.0.0.1:${api.port}`;
  await announce(folder, { url, apiKeyFile }, resources);
  return {
    api: { url, apiKeyFile },
    caCertificateFile: vault.caCertificateFile,
    close: () => resources.close(),
  };
}

/**
 * Like `Promise.all`, but a failure is thrown only when all have settled: what did start is then
 * registered for closing.
 */
async function together<Results extends readonly unknown[]>(starting: {
  readonly [Index in keyof Results]: Promise<Results[Index]>;
}): Promise<Results> {
  await Promise.allSettled(starting);
  return Promise.all(starting);
}

/** Brings the database to the newest schema, in a process that may know the database. */
async function migrate(databaseUrl: string): Promise<void> {
  const args = ['--import', import.meta.resolve('tsx'), app('api/src/migrate.ts')];
  try {
    await run(process.execPath, args, { env: { ...process.env, DATABASE_URL: databaseUrl } });
  } catch (cause) {
    throw new CliError('local_stack_failed', 'the database could not be migrated', { cause });
  }
}

async function sharedEnvironment(
  folder: string,
  databaseUrl: string,
  s3: LocalS3,
): Promise<Record<string, string>> {
  const webhookKeyFile = join(folder, 'webhook-secret.key');
  await keyFile(webhookKeyFile);
  return {
    DATABASE_URL: databaseUrl,
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_FORCE_PATH_STYLE: 'true',
    WEBHOOK_SECRET_KEY_FILE: webhookKeyFile,
    LOG_LEVEL: 'info',
  };
}

function startApi(
  folder: string,
  shared: Record<string, string>,
  apiKeyFile: string,
): Promise<SignfleetProcess> {
  return startSignfleetProcess({
    name: 'api',
    entry: app('api/src/main.ts'),
    directory: join(folder, 'api'),
    env: { ...shared, HOST: '127.0.0.1', PORT: '0', BOOTSTRAP_API_KEY_FILE: apiKeyFile },
  });
}

function startWorker(
  folder: string,
  name: 'signer' | 'provisioner',
  env: Record<string, string>,
): Promise<SignfleetProcess> {
  return startSignfleetProcess({
    name,
    entry: app('worker/src/main.ts'),
    directory: join(folder, name),
    env: {
      ...env,
      HEALTH_HOST: '127.0.0.1',
      HEALTH_PORT: '0',
      WORKER_ROLES: name === 'signer' ? 'sign,deliver,reconcile' : 'enrol',
      // The demo's receiver listens on the loopback interface.
      WEBHOOK_ALLOW_PRIVATE_TARGETS: 'true',
    },
  });
}

/** Leaves the API's address for the other commands while the stack is up. */
async function announce(folder: string, api: LocalApi, resources: ResourceStack): Promise<void> {
  const file = localApiFile(folder);
  await writeFile(file, JSON.stringify(api), { mode: 0o600 });
  resources.use('announcement', file, (path) => rm(path, { force: true }));
}

/** A 256-bit key in base64, made the first time. */
async function keyFile(path: string): Promise<void> {
  try {
    await writeFile(path, randomBytes(32).toString('base64'), { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
}
