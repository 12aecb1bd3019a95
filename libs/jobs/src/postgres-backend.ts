import {
  assertSchemaCompatibility,
  ConnectionClosedError,
  createPostgresBackend,
  DEFAULT_SCHEMA,
  LATEST_SCHEMA_VERSION,
  runMigrations,
} from 'bullmq';
import { Socket } from 'node:net';
import pg from 'pg';
import { deadlines, type BackendRole, type QueueBackend } from './queue-backend.ts';

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

/**
 * BullMQ's tables live in a schema of their own beside the records. A crash of the server may take
 * the last moments of the queue with it, in exchange for commits that wait for no disk: the records
 * are the truth, and the reconciler enqueues again what the queue forgot.
 */
const sessionOptions = `-c search_path="${DEFAULT_SCHEMA}" -c synchronous_commit=off`;

function withSessionOptions(connectionString: string): string {
  const url = new URL(connectionString);
  const options = url.searchParams.get('options');
  url.searchParams.set('options', [options, sessionOptions].filter(Boolean).join(' '));
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

interface OpenPool {
  readonly pool: pg.Pool;
  readonly close: () => Promise<void>;
}

function openPool(o: PostgresBackendOptions): OpenPool {
  const sockets = new Set<Socket>();
  const pool = new pg.Pool({
    connectionString: withSessionOptions(o.connectionString),
    max: o.connections,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: deadlines.connect,
    query_timeout: deadlines.command[o.role],
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      return socket.once('close', () => sockets.delete(socket));
    },
  });
  pool.on('error', o.onError);
  return {
    pool,
    close: async () => {
      // The protocol's goodbye waits for the server to hang up, which a hung network never does.
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, deadlines.connect);
      await pool.end().finally(() => clearTimeout(timer));
    },
  };
}

/** The part of `pg.Pool` that BullMQ uses, with errors that BullMQ understands. */
function bullConnection(pool: pg.Pool, onError: (error: unknown) => void) {
  const translate = (error: unknown): never => {
    if (isUnavailable(error)) onError(error);
    return asConnectionError(error);
  };
  return {
    options: { keepAlive: true },
    query: (text: string, values: readonly unknown[] = []) =>
      pool.query(text, [...values]).catch(translate),
    connect: () => pool.connect().catch(translate),
    end: () => pool.end(),
    on: pool.on.bind(pool),
    removeAllListeners: pool.removeAllListeners.bind(pool),
  };
}

export interface PostgresBackendOptions {
  readonly connectionString: string;
  readonly role: BackendRole;
  /** Most connections at a time, the one that listens included. */
  readonly connections: number;
  /** Told of each failure to reach the server. */
  readonly onError: (error: unknown) => void;
}

/**
 * BullMQ on PostgreSQL: jobs are rows of the schema `bullmq`, claimed with `SKIP LOCKED`, workers
 * are woken by LISTEN/NOTIFY. The URL must lead to the server itself, not to a transaction pooler.
 */
export async function openPostgresBackend(o: PostgresBackendOptions): Promise<QueueBackend> {
  const { pool, close } = openPool(o);
  const connection = bullConnection(pool, o.onError);
  try {
    await migrate(pool);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    createBackend: (name, options, extra) =>
      createPostgresBackend(name, { ...options, connection }, extra),
    isUnavailable,
    ping: async () => {
      await pool.query('SELECT 1');
    },
    close,
  };
}
