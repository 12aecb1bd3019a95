import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResourceStack } from '@signfleet/errors';
import { startPostgres } from '@signfleet/local-stack';
import { applyMigrations, openDatabase, type Database } from '../src/index.ts';

/** A real PostgreSQL with the schema in it, and what ends it. */
export interface TestDatabase {
  readonly db: Database;
  readonly url: string;
  close(): Promise<void>;
}

/** Starts an empty server of its own. */
export async function startServer(): Promise<Omit<TestDatabase, 'db'>> {
  const resources = new ResourceStack();
  const directory = resources.use(
    'folder',
    await mkdtemp(join(tmpdir(), 'signfleet-db-')),
    (path) => rm(path, { recursive: true, force: true }),
  );
  const postgres = resources.use(
    'PostgreSQL',
    await startPostgres({ directory, fsync: false }),
    (server) => server.stop(),
  );
  return { url: postgres.url, close: () => resources.close() };
}

/** Starts a server, migrates it, opens it. */
export async function startTestDatabase(poolSize = 20): Promise<TestDatabase> {
  const server = await startServer();
  await applyMigrations(server.url);
  const db = openDatabase({ url: server.url, poolSize });
  const close = async (): Promise<void> => {
    await db.close();
    await server.close();
  };
  return { db, url: server.url, close };
}
