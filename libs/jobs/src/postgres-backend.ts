import {
  assertSchemaCompatibility,
  ConnectionClosedError,
  createPostgresBackend,
  DEFAULT_SCHEMA,
  LATEST_SCHEMA_VERSION,
  runMigrations,
} from 'bullmq';
import pg from 'pg';
import { deadlines, type QueueBackend } from './queue-backend.ts';

/** SQLSTATE classes and codes that say "not now": PostgreSQL documentation, appendix A. */
const transientSqlState = /^(08...|57P0[1-5]|53[0-9A-Z]{3})$/;
const transientErrno =
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|E(HOST|NET)(UNREACH|DOWN))$/;
/** node-postgres gives these no code. */
const transientMessage =
  /connection terminated|connection error|timeout expired|timeout exceeded|query read timeout|not queryable/i;

function isUnavailable(error: unknown): boolean {
  if (error instanceof ConnectionClosedError) return true;
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    transientSqlState.test(code) ||
    transientErrno.test(code) ||
    transientMessage.test(error.message)
  );
}

/**
 * BullMQ takes only ECONNREFUSED for a lost connection and would fail the job in hand on any other
 * (server shutting down, starting up, connection reset), so each of them becomes the error that
 * BullMQ waits and retries for.
 */
function asConnectionError(error: unknown): never {
  if (!isUnavailable(error)) throw error;
  throw new ConnectionClosedError(undefined, error);
}

/** BullMQ's tables live in a schema of their own beside the records. */
function withSearchPath(connectionString: string): string {
  const url = new URL(connectionString);
  const options = url.searchParams.get('options');
  const searchPath = `-c search_path="${DEFAULT_SCHEMA}"`;
  url.searchParams.set('options', options === null ? searchPath : `${options} ${searchPath}`);
  return url.href;
}

/** Creates or upgrades BullMQ's tables; needs no DDL rights when they are up to date. */
async function migrate(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ exists: boolean }>(
      'SELECT to_regclass($1) IS NOT NULL AS exists',
      [`${DEFAULT_SCHEMA}.migration`],
    );
    const version = rows[0]?.exists === true ? await assertSchemaCompatibility(client) : 0;
    if (version < LATEST_SCHEMA_VERSION) await runMigrations(client);
  } finally {
    client.release();
  }
}

/**
 * BullMQ on PostgreSQL: jobs are rows of the schema `bullmq`, claimed with `SKIP LOCKED`, workers
 * are woken by LISTEN/NOTIFY. The URL must lead to the server itself, not to a transaction pooler.
 * `connections` bounds the pool, the LISTEN connection included.
 */
export async function openPostgresBackend(o: {
  readonly connectionString: string;
  readonly connections: number;
  readonly onError: (error: unknown) => void;
}): Promise<QueueBackend> {
  const pool = new pg.Pool({
    connectionString: withSearchPath(o.connectionString),
    max: o.connections,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: deadlines.connect,
    query_timeout: deadlines.command,
  });
  pool.on('error', o.onError);
  const reportUnavailable = (error: unknown): never => {
    if (isUnavailable(error)) o.onError(error);
    return asConnectionError(error);
  };
  const connection = {
    options: { keepAlive: true },
    query: (text: string, values?: readonly unknown[]) =>
      pool.query(text, values === undefined ? undefined : [...values]).catch(reportUnavailable),
    connect: () => pool.connect().catch(reportUnavailable),
    end: () => pool.end(),
    on: pool.on.bind(pool),
    removeAllListeners: pool.removeAllListeners.bind(pool),
  };
  try {
    await migrate(pool);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    createBackend: (name, options, extra) =>
      createPostgresBackend(name, { ...options, connection }, extra),
    isUnavailable,
    ping: async () => {
      await pool.query('SELECT 1');
    },
    close: () => pool.end(),
  };
}
