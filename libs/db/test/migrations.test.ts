import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { applyMigrations, diffMigrations } from '../src/index.ts';
import { startServer } from './test-database.ts';

let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

async function databases(): Promise<unknown[]> {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
    return rows.map((row) => row.datname);
  } finally {
    await client.end();
  }
}

it('applies each migration once, also when processes start together', async () => {
  const applied = await Promise.all([1, 2, 3].map(() => applyMigrations(server.url)));
  expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
  expect(await applyMigrations(server.url)).toEqual([]);
});

it('keeps schema.prisma and the migrations in agreement, and leaves no shadow database', async () => {
  const before = await databases();
  expect(await diffMigrations(server.url)).toBe('');
  expect(await databases()).toEqual(before);
});

it('notices when they do not agree', async () => {
  const path = new URL('../../../prisma/schema.prisma', import.meta.url);
  const schema = await readFile(path, 'utf8');
  const changed = schema.replace('model Tenant {', 'model Tenant {\n  motto String?');
  expect(await diffMigrations(server.url, changed)).toContain('ADD COLUMN     "motto" TEXT');
});

it('says that a database is not available', async () => {
  await expect(applyMigrations('postgres://x:x@127.0.0.1:1/x')).rejects.toMatchObject({
    code: 'unavailable',
    retryable: true,
  });
});
