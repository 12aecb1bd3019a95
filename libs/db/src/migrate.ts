import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import { Client } from 'pg';
import { DbError } from './error.ts';
import { toDbError } from './database-fault.ts';
import { allEntities, openSchemaEngine } from './schema-engine.ts';

const schemaPath = fileURLToPath(new URL('../../../prisma/schema.prisma', import.meta.url));
const migrationsPath = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** "signfleet" as a number: the lock under which a schema is migrated. */
const MIGRATION_LOCK = 7_461_101;

async function readMigrations(): Promise<MigrationList> {
  const lockfile = await readFile(join(migrationsPath, 'migration_lock.toml'), 'utf8');
  const entries = await readdir(migrationsPath, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return {
    baseDir: migrationsPath,
    lockfile: { path: 'migration_lock.toml', content: lockfile },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.sort().map(async (path) => ({
        path,
        migrationFile: {
          path: 'migration.sql',
          content: {
            tag: 'ok' as const,
            value: await readFile(join(migrationsPath, path, 'migration.sql'), 'utf8'),
          },
        },
      })),
    ),
  };
}

/**
 * Applies the migrations that the database lacks, in order, and returns their names. Processes that
 * start together wait for each other. Throws DbError `unavailable` or `migration_failed`.
 */
export async function applyMigrations(databaseUrl: string): Promise<string[]> {
  const lock = new Client({ connectionString: databaseUrl });
  lock.on('error', () => undefined);
  try {
    await lock.connect();
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
  } catch (cause) {
    throw toDbError(cause);
  }
  try {
    const schema = await readFile(schemaPath, 'utf8');
    const migrationsList = await readMigrations();
    const engine = await openSchemaEngine({ url: databaseUrl, schema });
    try {
      const { appliedMigrationNames } = await engine.applyMigrations({
        migrationsList,
        filters: allEntities,
      });
      return appliedMigrationNames;
    } finally {
      engine.free();
    }
  } catch (cause) {
    throw new DbError('migration_failed', 'the database schema could not be migrated', { cause });
  } finally {
    await lock.end();
  }
}

/**
 * The SQL that is missing to take a database from the migrations to the schema (default: the text of
 * schema.prisma); empty when they agree. `databaseUrl` names a server on which a shadow database can
 * be created.
 */
export async function diffMigrations(databaseUrl: string, schemaText?: string): Promise<string> {
  const schema = schemaText ?? (await readFile(schemaPath, 'utf8'));
  const engine = await openSchemaEngine({ url: databaseUrl, schema });
  try {
    const { stdout } = await engine.diff({
      from: { tag: 'migrations', ...(await readMigrations()) },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: schema }] },
      script: true,
      exitCode: null,
      filters: allEntities,
    });
    return (stdout ?? '').replaceAll(/^--.*$/gm, '').trim();
  } finally {
    engine.free();
  }
}
