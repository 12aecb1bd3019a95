import { PrismaPg } from '@prisma/adapter-pg';
import { ResourceStack } from '@signfleet/errors';
import { Pool, type PoolConfig } from 'pg';
import type { z } from 'zod';
import { toDbError } from './database-fault.ts';
import { PrismaClient } from './generated/client.ts';

/** One SQL statement, known to the server by name once prepared, and the shape of its rows. */
export interface Statement<Row> {
  readonly name: string;
  readonly text: string;
  readonly row: z.ZodType<Row>;
}

/** Runs prepared statements; parses every row. Throws DbError. */
export interface StatementRunner {
  query<Row>(statement: Statement<Row>, values: readonly unknown[]): Promise<Row[]>;
}

// What only a claim or a check may read is left out of every ordinary read.
const omit = {
  key: { wrappedKey: true },
  apiKey: { secretHash: true },
  webhookEndpoint: { sealedSecret: true },
} as const;

// A transaction may wait for a lock that another one holds; Prisma's own limits are 2 s and 5 s.
const transactionOptions = { maxWait: 10_000, timeout: 30_000 };

function createPrismaClient(pool: Pool) {
  return new PrismaClient({ adapter: new PrismaPg(pool), omit, transactionOptions });
}

/** Prisma's client without the secret columns. */
export type Prisma = ReturnType<typeof createPrismaClient>;

/** What is left of it inside a transaction. */
export type PrismaTransaction = Omit<
  Prisma,
  '$connect' | '$disconnect' | '$on' | '$use' | '$extends' | '$transaction'
>;

/** Records of signfleet. One pool of connections serves Prisma and the prepared statements. */
export interface Database extends StatementRunner {
  /** Ordinary reads and writes; throws DbError. */
  readonly prisma: Prisma;
  /** Ordinary reads and writes that are committed together. */
  prismaTransaction<T>(run: (tx: PrismaTransaction) => Promise<T>): Promise<T>;
  /** Prepared statements on one connection, committed together. */
  transaction<T>(run: (tx: StatementRunner) => Promise<T>): Promise<T>;
  /** Throws DbError `unavailable` if the server doesn't answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** postgres://… */
  readonly url: string;
  /** Most connections open at a time; default 10. */
  readonly poolSize?: number;
  /** How long to wait for a connection before `unavailable`; default 5,000. */
  readonly connectionTimeoutMillis?: number;
  /**
   * How long to wait for the answer to one statement before `unavailable`, half of it for a lock;
   * default 30,000. The server ends a transaction whose client has been silent for as long.
   */
  readonly queryTimeoutMillis?: number;
}

type Queryable = Pick<Pool, 'query'>;

function statementRunner(client: Queryable): StatementRunner {
  return {
    async query({ name, text, row }, values) {
      const result = await client.query<Record<string, unknown>>({
        name,
        text,
        values: [...values],
      });
      return result.rows.map((values) => row.parse(values));
    },
  };
}

async function mapped<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (fault) {
    throw toDbError(fault);
  }
}

async function inTransaction<T>(pool: Pool, run: (tx: StatementRunner) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const value = await run(statementRunner(client));
    await client.query('COMMIT');
    return value;
  } catch (fault) {
    await client.query('ROLLBACK').catch((cause: unknown) => {
      broken = new Error('rollback failed', { cause });
    });
    throw fault;
  } finally {
    client.release(broken);
  }
}

// A hung network closes nothing: without these limits a job would wait for minutes on its worker's
// side, and on the server's side a dead worker would hold its locks for hours.
function poolConfig(options: DatabaseOptions): PoolConfig {
  const patience = options.queryTimeoutMillis ?? 30_000;
  return {
    connectionString: options.url,
    max: options.poolSize ?? 10,
    connectionTimeoutMillis: options.connectionTimeoutMillis ?? 5_000,
    query_timeout: patience,
    lock_timeout: patience / 2,
    idle_in_transaction_session_timeout: patience,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'signfleet',
  };
}

/** Opens the database; connects when first used. */
export function openDatabase(options: DatabaseOptions): Database {
  const resources = new ResourceStack();
  const pool = resources.use('connection pool', new Pool(poolConfig(options)), (it) => it.end());
  // A connection that breaks fails the query on it, or the next one; unheard, the event itself would
  // end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (connection) => connection.on('error', () => undefined));
  const client = resources.use('Prisma client', createPrismaClient(pool), (it) => it.$disconnect());
  const extended = client.$extends({
    query: { $allOperations: ({ args, query }) => mapped(() => query(args)) },
  });
  const runner = statementRunner(pool);
  return {
    // The extension changes what is thrown and nothing of the interface.
    prisma: extended as unknown as Prisma,
    query: (statement, values) => mapped(() => runner.query(statement, values)),
    prismaTransaction: (run) => mapped(() => client.$transaction(run)),
    transaction: (run) => mapped(() => inTransaction(pool, run)),
    ping: () =>
      mapped(async () => {
        await pool.query('SELECT 1');
      }),
    close: () => resources.close(),
  };
}
