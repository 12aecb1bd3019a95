import { readFile } from 'node:fs/promises';
import { countSignings, openDatabase, type Database } from '@signfleet/db';
import { ResourceStack } from '@signfleet/errors';
import { jobKinds, openQueues, type Queues } from '@signfleet/jobs';
import { s3ObjectStore, StorageError, type ObjectStore } from '@signfleet/storage';
import { parseSealingKey, sealSecret } from '@signfleet/webhooks';
import type { Logger } from 'pino';
import { buildApp, type App, type Dependencies } from './app.ts';
import { bootstrap } from './bootstrap.ts';
import type { Config } from './config.ts';
import { defined } from './defined.ts';
import { createMetrics } from './metrics.ts';
import { objectPolicy } from './object-policy.ts';
import { secretMaker } from './repeatable-secret.ts';
import type { Probe } from './routes/health.ts';
import { wakeUp } from './wake-up.ts';

/** The server with all that it uses, not listening yet; `close` releases all in reverse order. */
export interface Api {
  readonly app: App;
  close(): Promise<void>;
}

/** Makes everything that the API needs out of its settings. */
export async function composeApi(config: Config, logger: Logger): Promise<Api> {
  const resources = new ResourceStack();
  try {
    const app = await composeApp(config, logger, resources);
    return { app, close: () => resources.close() };
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function composeApp(config: Config, logger: Logger, resources: ResourceStack): Promise<App> {
  const sealingKey = parseSealingKey(await readFile(config.WEBHOOK_SECRET_KEY_FILE, 'utf8'));
  const db = resources.use(
    'database',
    openDatabase({ url: config.DATABASE_URL, poolSize: 20, connectionTimeoutMillis: 3_000 }),
    (it) => it.close(),
  );
  if (config.BOOTSTRAP_API_KEY_FILE !== undefined) {
    await bootstrap(db, config.BOOTSTRAP_API_KEY_FILE, logger);
  }
  const queues = resources.use(
    'queues',
    await openQueues({ url: config.QUEUE_URL, ...defined({ prefix: config.QUEUE_PREFIX }) }),
    (it) => it.close(),
  );
  const store = openStore(config, config.S3_ENDPOINT, resources);
  const publicStore =
    config.S3_PUBLIC_ENDPOINT === undefined
      ? store
      : openStore(config, config.S3_PUBLIC_ENDPOINT, resources);
  const dependencies: Dependencies = {
    logger,
    db,
    publicStore,
    metrics: createMetrics({
      queueCounts: () => queueCounts(queues),
      signingCounts: () => countSignings(db),
    }),
    wakeUp: wakeUp(queues),
    objectPolicy: objectPolicy({
      uploadBucket: config.UPLOAD_BUCKET,
      allowedBuckets: config.S3_ALLOWED_BUCKETS,
    }),
    makeSecret: secretMaker(sealingKey.export()),
    sealWebhookSecret: (secret, endpointId) => sealSecret({ secret, endpointId, key: sealingKey }),
    probes: probesOf({ db, queues, store, bucket: config.UPLOAD_BUCKET }),
    requestTimeoutMillis: config.REQUEST_TIMEOUT_SECONDS * 1_000,
  };
  return resources.use('HTTP server', await buildApp(dependencies), (it) => it.close());
}

function openStore(
  config: Config,
  endpoint: string | undefined,
  resources: ResourceStack,
): ObjectStore {
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = config;
  const store = s3ObjectStore({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
    region: config.S3_REGION,
    forcePathStyle: config.S3_FORCE_PATH_STYLE,
    requestTimeoutMs: 5_000,
  });
  return resources.use('object store', store, (it) => it.close());
}

async function queueCounts(
  queues: Queues,
): Promise<{ kind: string; state: string; count: number }[]> {
  const byKind = await Promise.all(
    jobKinds.map(async (kind) => {
      const counts = await queues.counts(kind);
      return Object.entries(counts).map(([state, count]) => ({
        kind,
        state,
        count: Number(count),
      }));
    }),
  );
  return byKind.flat();
}

function probesOf(o: {
  db: Database;
  queues: Queues;
  store: ObjectStore;
  bucket: string;
}): Record<string, Probe> {
  return {
    database: () => o.db.ping(),
    queue: () => o.queues.ping(),
    storage: () => storageAnswers(o.store, o.bucket),
  };
}

/** An object that is not there, or may not be asked for, is an answer too. */
async function storageAnswers(store: ObjectStore, bucket: string): Promise<void> {
  try {
    await store.head({ bucket, key: 'readiness-probe', signal: AbortSignal.timeout(2_000) });
  } catch (error) {
    const answered =
      error instanceof StorageError &&
      (error.code === 'not_found' || error.code === 'access_denied');
    if (!answered) throw error;
  }
}
