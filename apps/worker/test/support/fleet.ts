import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  applyMigrations,
  bootstrapTenant,
  createBatch,
  createKey,
  createSigning,
  createUser,
  openDatabase,
  type Database,
  type Signing,
} from '@signfleet/db';
import { ResourceStack } from '@signfleet/errors';
import { openQueues, type Queues } from '@signfleet/jobs';
import { startPostgres, startRedis, startS3 } from '@signfleet/local-stack';
import type { KeyAlgorithm } from '@signfleet/pki';
import { s3ObjectStore, type ObjectStore } from '@signfleet/storage';
import { createLocalHsm } from './local-hsm.ts';

export const SOURCE_BUCKET = 'source';
export const RESULT_BUCKET = 'signed';

/** What a test may vary when it submits. */
export interface Submitted {
  readonly keyId: string;
  readonly source: string;
  readonly destination?: string;
  readonly sha256?: string;
  readonly versionId?: string;
  readonly reason?: string;
  readonly fieldName?: string;
}

/** Real services on free ports, a tenant, and what the API would do for it. */
export interface TestFleet {
  readonly directory: string;
  /** For a worker; add WORKER_ROLES. */
  readonly environment: Readonly<Record<string, string>>;
  readonly database: Database;
  readonly queues: Queues;
  readonly store: ObjectStore;
  readonly tenantId: string;
  /** 32 bytes under which webhook secrets are sealed. */
  readonly webhookSecretKey: Buffer;
  readonly services: {
    readonly postgres: RestartableService;
    readonly redis: RestartableService | undefined;
    readonly s3: RestartableService;
  };
  orderKey(algorithm: KeyAlgorithm, mode?: 'builtin' | 'csr'): Promise<string>;
  putSource(key: string, bytes: Uint8Array): Promise<void>;
  submit(item: Submitted): Promise<string>;
  /** Submits, runs `before`, and only then wakes a worker up. */
  submitThen(item: Submitted, before: () => Promise<unknown>): Promise<Signing>;
  submitBatch(items: readonly Submitted[]): Promise<{ batchId: string; ids: string[] }>;
  /** The row, once it is final. */
  finished(id: string, timeoutMs?: number): Promise<Signing>;
  result(signing: Signing): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Stops and comes back on the same port with the same data. */
export interface RestartableService {
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startTestFleet(o: {
  readonly queue: 'postgres' | 'redis';
}): Promise<TestFleet> {
  const resources = new ResourceStack();
  try {
    return await assemble(o, resources);
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function assemble(
  o: { readonly queue: 'postgres' | 'redis' },
  resources: ResourceStack,
): Promise<TestFleet> {
  const directory = resources.use(
    'directory',
    await mkdtemp(join(tmpdir(), 'signfleet-worker-')),
    (path) => rm(path, { recursive: true, force: true }),
  );
  const at = (name: string): string => join(directory, name);
  const hsm = await createLocalHsm(at('hsm'));
  const postgres = await restartable(resources, 'PostgreSQL', (port) =>
    startPostgres({ directory: at('postgres'), fsync: false, ...port }),
  );
  const redis =
    o.queue === 'redis'
      ? await restartable(resources, 'Redis', (port) =>
          startRedis({ directory: at('redis'), ...port }),
        )
      : undefined;
  const s3 = await restartable(resources, 'S3', (port) =>
    startS3({
      directory: at('s3'),
      buckets: [SOURCE_BUCKET, RESULT_BUCKET],
      versioning: true,
      ...port,
    }),
  );
  const databaseUrl = postgres.facts.url;
  const queueUrl = redis?.facts.url ?? databaseUrl;
  await applyMigrations(databaseUrl);
  const database = resources.use('database', openDatabase({ url: databaseUrl }), (it) =>
    it.close(),
  );
  const queues = resources.use('queues', await openQueues({ url: queueUrl }), (it) => it.close());
  const { endpoint, region, accessKeyId, secretAccessKey } = s3.facts;
  const store = resources.use(
    'store',
    s3ObjectStore({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    }),
    (it) => it.close(),
  );
  const owner = await bootstrapTenant(database, { name: 'tests' });
  if (owner === null) throw new Error('the database is not new');
  const webhookSecretKey = randomBytes(32);
  await writeFile(at('webhook.key'), webhookSecretKey.toString('base64'), { mode: 0o600 });
  return {
    ...submitting({ database, queues, store, owner }),
    directory,
    database,
    queues,
    store,
    tenantId: owner.tenantId,
    webhookSecretKey,
    services: { postgres: postgres.service, redis: redis?.service, s3: s3.service },
    environment: {
      ...hsm,
      DATABASE_URL: databaseUrl,
      QUEUE_URL: queueUrl,
      S3_ENDPOINT: endpoint,
      S3_REGION: region,
      S3_ACCESS_KEY_ID: accessKeyId,
      S3_SECRET_ACCESS_KEY: secretAccessKey,
      S3_FORCE_PATH_STYLE: 'true',
      WEBHOOK_SECRET_KEY_FILE: at('webhook.key'),
      WEBHOOK_ALLOW_PRIVATE_TARGETS: 'true',
      CRL_URL: 'http://pki.example/ca.crl',
      CERTIFICATE_POLICY_OID: '1.3.6.1.4.1.99999.1',
      HEALTH_HOST: '127.0.0.1',
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'error',
    },
    close: () => resources.close(),
  };
}

async function restartable<Facts extends { readonly port: number; stop(): Promise<void> }>(
  resources: ResourceStack,
  name: string,
  start: (port: { readonly port?: number }) => Promise<Facts>,
): Promise<{ facts: Facts; service: RestartableService }> {
  const facts = await start({});
  let running: Facts | undefined = facts;
  const service: RestartableService = {
    stop: async () => {
      await running?.stop();
      running = undefined;
    },
    start: async () => {
      running = await start({ port: facts.port });
    },
  };
  resources.use(name, service, (it) => it.stop());
  return { facts, service };
}

type Submitting = Pick<
  TestFleet,
  'orderKey' | 'putSource' | 'submit' | 'submitThen' | 'submitBatch' | 'finished' | 'result'
>;

function submitting(o: {
  readonly database: Database;
  readonly queues: Queues;
  readonly store: ObjectStore;
  readonly owner: { readonly tenantId: string; readonly apiKeyId: string };
}): Submitting {
  const { database, queues, store, owner } = o;
  const actor = `api_key:${owner.apiKeyId}`;
  const finished: TestFleet['finished'] = async (id, timeoutMs = 30_000) => {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const row = await database.prisma.signing.findUniqueOrThrow({ where: { id } });
      if (row.finishedAt !== null) return row;
      if (Date.now() > end) {
        throw new Error(`${id} is still ${row.state}, ${row.errorCode ?? 'without an error'}`);
      }
      await sleep(50);
    }
  };
  return {
    orderKey: async (algorithm, certificateMode = 'builtin') => {
      const { tenantId } = owner;
      const user = { name: `Tester ${algorithm}`, organization: 'signfleet tests', country: 'SE' };
      const { resource } = await createUser(database, { tenantId, actor, user });
      const key = { tenantId, actor, userId: resource.id, algorithm, certificateMode };
      const created = await createKey(database, key);
      await queues.enqueue('enrol-key', [created.resource.id]);
      return created.resource.id;
    },
    putSource: async (key, bytes) => {
      await store.put({
        bucket: SOURCE_BUCKET,
        key,
        body: bytes,
        contentType: 'application/pdf',
        metadata: {},
      });
    },
    submit: async (item) => {
      const { resource } = await createSigning(database, { ...owner, request: requestOf(item) });
      await queues.enqueue('sign-document', [resource.id]);
      return resource.id;
    },
    submitThen: async (item, before) => {
      const { resource } = await createSigning(database, { ...owner, request: requestOf(item) });
      await before();
      await queues.enqueue('sign-document', [resource.id]);
      return finished(resource.id);
    },
    submitBatch: async (items) => {
      const { resource } = await createBatch(database, {
        ...owner,
        items: items.map((item, index) => ({ index, request: requestOf(item) })),
      });
      const ids = resource.items.map(({ id }) => id);
      await queues.enqueue('sign-document', ids);
      return { batchId: resource.batch.id, ids };
    },
    finished,
    result: async ({ destinationBucket: bucket, destinationKey: key }) =>
      (await store.get({ bucket, key })).bytes,
  };
}

function requestOf({ keyId, source, destination, ...rest }: Submitted) {
  const { sha256, versionId, reason, fieldName } = rest;
  return {
    keyId,
    source: {
      bucket: SOURCE_BUCKET,
      key: source,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(versionId === undefined ? {} : { versionId }),
    },
    destination: { bucket: RESULT_BUCKET, key: destination ?? source },
    ...(reason === undefined ? {} : { reason }),
    ...(fieldName === undefined ? {} : { fieldName }),
  };
}
