import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyMigrations, bootstrapTenant, openDatabase, type Database } from '@signfleet/db';
import { ResourceStack } from '@signfleet/errors';
import { openQueues, type Queues } from '@signfleet/jobs';
import { startPostgres, startRedis, startS3 } from '@signfleet/local-stack';
import { s3ObjectStore, type ObjectStore } from '@signfleet/storage';
import { localHsm, type LocalHsm } from '@signfleet/testing';
import { RESULT_BUCKET, SOURCE_BUCKET, submitting, type Submitting } from './submitting.ts';

/** Real services on free ports, a tenant, and what the API would do for it. */
export interface TestFleet extends Submitting {
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
  const hsm = resources.use('HSM', await localHsm(), (it) => it.close());
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
      ...hsmEnvironment(hsm),
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

function hsmEnvironment(hsm: LocalHsm): Record<string, string> {
  return {
    SOFTHSM2_CONF: hsm.configPath,
    HSM_MODULE: hsm.modulePath,
    HSM_SIGNING_TOKEN_URI: hsm.signing.tokenUri,
    HSM_SIGNING_PIN_FILE: hsm.signing.pinFile,
    HSM_PROVISIONING_TOKEN_URI: hsm.provisioning.tokenUri,
    HSM_PROVISIONING_PIN_FILE: hsm.provisioning.pinFile,
    ENROLMENT_PUBLIC_KEY_FILE: hsm.enrolmentPublicKeyFile,
    CA_CERTIFICATE_FILE: hsm.caCertificateFile,
  };
}
