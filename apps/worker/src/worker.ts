import { openDatabase, type Database } from '@signfleet/db';
import { ResourceStack } from '@signfleet/errors';
import { openQueues, type Queues } from '@signfleet/jobs';
import { s3ObjectStore, StorageError, type ObjectStore } from '@signfleet/storage';
import type { WorkerConfig, WorkerRole } from './config.ts';
import { Dependencies, openPersistently } from './dependency.ts';
import { startHealthServer } from './health-server.ts';
import type { Logger } from './logging.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { startRole } from './roles.ts';

/** A worker process's inside, without the process. */
export interface RunningWorker {
  /** Where `/healthz`, `/readyz` and `/metrics` are served. */
  readonly healthPort: number;
  /** Settles when every role takes jobs, or rejects when a role can't start. */
  readonly started: Promise<void>;
  /** Takes no new job, finishes those in hand, closes everything, last opened first. Idempotent. */
  close(): Promise<void>;
}

/** What the roles of one worker share. */
export interface WorkerContext {
  readonly config: WorkerConfig;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly store: ObjectStore;
  readonly queues: Queues;
  readonly dependencies: Dependencies;
  readonly resources: ResourceStack;
  /** Aborted when the worker stops. */
  readonly stopping: AbortSignal;
}

/** No such bucket is fine: an answer of any kind shows that the object store is there. */
const PROBE = { bucket: 'signfleet-readiness-probe', key: 'probe' };

/**
 * Starts a worker. Its health server runs at once; databases, queues and tokens that are not there
 * yet are waited for in the background, and `/readyz` names them meanwhile.
 *
 * @throws what the health server's port throws.
 */
export async function startWorker(config: WorkerConfig, log: Logger): Promise<RunningWorker> {
  const resources = new ResourceStack();
  const metrics = createMetrics();
  const dependencies = new Dependencies(metrics);
  const stopping = new AbortController();
  for (const name of ['database', 'queue', 'storage']) dependencies.expect(name);
  const health = resources.use(
    'health server',
    await startHealthServer({
      host: config.HEALTH_HOST,
      port: config.HEALTH_PORT,
      registry: metrics.registry,
      readiness: () => dependencies.states(),
    }),
    (server) => server.close(),
  );
  log.info({ port: health.port, roles: config.WORKER_ROLES }, 'listening');

  const started = startRoles({
    config,
    log,
    metrics,
    dependencies,
    resources,
    stopping: stopping.signal,
  });
  const settled = started.catch(() => undefined); // the caller has `started` itself
  return {
    healthPort: health.port,
    started,
    close: async () => {
      stopping.abort();
      await settled;
      await resources.close();
    },
  };
}

async function startRoles(
  context: Omit<WorkerContext, 'database' | 'store' | 'queues'>,
): Promise<void> {
  const { config, log, dependencies, resources, stopping } = context;
  const database = openRecords(context);
  const store = openStore(context);
  const queues = await openPersistently({
    name: 'queue',
    open: () =>
      openQueues({
        url: config.QUEUE_URL,
        ...(config.QUEUE_PREFIX === undefined ? {} : { prefix: config.QUEUE_PREFIX }),
      }),
    signal: stopping,
    dependencies,
    log,
  });
  resources.use('queues', queues, (opened) => opened.close());
  dependencies.opened('queue', () => queues.ping());
  const shared: WorkerContext = { ...context, database, store, queues };
  await Promise.all(config.WORKER_ROLES.map((role: WorkerRole) => startRole(role, shared)));
  log.info({ roles: config.WORKER_ROLES }, 'taking jobs');
}

function openRecords({
  config,
  dependencies,
  resources,
}: Pick<WorkerContext, 'config' | 'dependencies' | 'resources'>): Database {
  const database = resources.use(
    'database',
    openDatabase({ url: config.DATABASE_URL, poolSize: config.DATABASE_POOL_SIZE }),
    (opened) => opened.close(),
  );
  dependencies.opened('database', () => database.ping());
  return database;
}

function openStore({
  config,
  dependencies,
  resources,
}: Pick<WorkerContext, 'config' | 'dependencies' | 'resources'>): ObjectStore {
  const store = resources.use(
    'object store',
    s3ObjectStore({
      region: config.S3_REGION,
      forcePathStyle: config.S3_FORCE_PATH_STYLE,
      ...(config.S3_ENDPOINT === undefined ? {} : { endpoint: config.S3_ENDPOINT }),
      ...(config.s3Credentials === undefined ? {} : { credentials: config.s3Credentials }),
    }),
    (opened) => opened.close(),
  );
  dependencies.opened('storage', () => probeStore(store));
  return store;
}

async function probeStore(store: ObjectStore): Promise<void> {
  try {
    await store.head(PROBE);
  } catch (error) {
    if (error instanceof StorageError && error.code !== 'unavailable') return;
    throw error;
  }
}
