import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  applyMigrations,
  createApiKey,
  createGrant,
  newId,
  openDatabase,
  type Database,
  type Scope,
} from '@signfleet/db';
import { ResourceStack } from '@signfleet/errors';
import { startPostgres, startS3, type LocalPostgres, type LocalS3 } from '@signfleet/local-stack';
import type { App } from '../../src/app.ts';
import { composeApi } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/logger.ts';
import { Answer } from './answer.ts';

export interface CallOptions {
  /** The owner's by default, null for none. */
  readonly token?: string | null;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The real API on a real PostgreSQL, queue and S3 server of its own. */
export interface TestApi {
  readonly app: App;
  readonly db: Database;
  readonly postgres: LocalPostgres;
  readonly postgresDirectory: string;
  readonly s3: LocalS3;
  readonly databaseUrl: string;
  /** Of the first tenant's owner, as the bootstrap wrote it to its file. */
  readonly token: string;
  readonly tenantId: string;
  /** Everything that was logged, one JSON text a line. */
  readonly logLines: readonly string[];
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT',
    path: string,
    options?: CallOptions,
  ): Promise<Answer>;
  stop(): Promise<void>;
}

export async function startTestApi(env: Record<string, string> = {}): Promise<TestApi> {
  const resources = new ResourceStack();
  const directory = resources.use('folder', await mkdtemp(join(tmpdir(), 'api-')), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const postgresDirectory = join(directory, 'pg');
  const postgres = resources.use(
    'postgres',
    await startPostgres({ directory: postgresDirectory, fsync: false }),
    (it) => it.stop(),
  );
  const s3 = resources.use(
    's3',
    await startS3({ directory: join(directory, 's3'), buckets: ['signfleet', 'docs'] }),
    (it) => it.stop(),
  );
  await applyMigrations(postgres.url);
  const files = { key: join(directory, 'webhook-key'), token: join(directory, 'owner-key') };
  await writeFile(files.key, randomBytes(32).toString('base64'));
  const config = readConfig({
    DATABASE_URL: postgres.url,
    QUEUE_URL: postgres.url,
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_FORCE_PATH_STYLE: 'true',
    WEBHOOK_SECRET_KEY_FILE: files.key,
    BOOTSTRAP_API_KEY_FILE: files.token,
    ...env,
  });
  const logLines: string[] = [];
  const logger = createLogger(
    { level: 'info', service: 'api' },
    { write: (line: string) => void logLines.push(line) },
  );
  const { app } = resources.use('api', await composeApi(config, logger), (it) => it.close());
  const db = resources.use('database', openDatabase({ url: postgres.url }), (it) => it.close());
  const token = (await readFile(files.token, 'utf8')).trim();
  const tenant = await db.prisma.tenant.findFirstOrThrow();
  const call: TestApi['call'] = async (method, path, options = {}) => {
    const bearer = options.token === undefined ? token : options.token;
    const { body } = options;
    const response = await app.inject({
      method,
      url: path,
      headers: {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body === undefined
        ? {}
        : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return new Answer({
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
    });
  };
  return {
    app,
    db,
    postgres,
    postgresDirectory,
    s3,
    databaseUrl: postgres.url,
    token,
    tenantId: tenant.id,
    logLines,
    call,
    stop: () => resources.close(),
  };
}

/** A caller with these scopes and grants; of a new tenant if none is given. */
export async function addCaller(
  db: Database,
  o: {
    readonly tenantId?: string;
    readonly scopes: readonly Scope[];
    readonly grant?: { readonly userId?: string; readonly keyId?: string };
    readonly expiresAt?: Date;
  },
): Promise<{ tenantId: string; apiKeyId: string; token: string }> {
  const tenantId = o.tenantId ?? newId('ten');
  if (o.tenantId === undefined) {
    await db.prisma.tenant.create({ data: { id: tenantId, name: 'another' } });
  }
  const { expiresAt } = o;
  const actor = 'system';
  const { apiKey, token } = await createApiKey(db, {
    tenantId,
    actor,
    apiKey: { name: 'test', scopes: o.scopes, ...(expiresAt === undefined ? {} : { expiresAt }) },
  });
  if (o.grant !== undefined) {
    await createGrant(db, { tenantId, actor, apiKeyId: apiKey.id, ...o.grant });
  }
  return { tenantId, apiKeyId: apiKey.id, token };
}
