import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyMigrations, findCaller, openDatabase, type Database } from '@signfleet/db';
import { ResourceStack } from '@signfleet/errors';
import { startPostgres } from '@signfleet/local-stack';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap } from '../src/bootstrap.ts';
import { createLogger } from '../src/logger.ts';

const resources = new ResourceStack();
const logger = createLogger({ level: 'silent', service: 'api' });
let directory: string;
let db: Database;

beforeAll(async () => {
  directory = resources.use('folder', await mkdtemp(join(tmpdir(), 'bootstrap-')), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const postgres = await startPostgres({ directory: join(directory, 'pg'), fsync: false });
  resources.use('postgres', postgres, (it) => it.stop());
  await applyMigrations(postgres.url);
  db = resources.use('database', openDatabase({ url: postgres.url }), (it) => it.close());
});

afterAll(() => resources.close());

test('a file that cannot be put in place does not cost the only copy of the token', async () => {
  const folder = join(directory, 'keys');
  // What a container runtime makes of a file to be mounted that is not there.
  const path = join(folder, 'owner-key');
  await mkdir(path, { recursive: true });
  await expect(bootstrap(db, path, logger)).rejects.toThrow('rename');
  const [draft, ...others] = (await readdir(folder)).filter((name) => name !== 'owner-key');
  expect(others).toEqual([]);
  const kept = join(folder, draft ?? '');
  expect((await stat(kept)).mode & 0o777).toBe(0o600);
  const caller = await findCaller(db, (await readFile(kept, 'utf8')).trim());
  expect(caller?.scopes).toContain('admin');
});

test('a later start leaves nothing behind', async () => {
  const folder = join(directory, 'later');
  await mkdir(folder);
  await bootstrap(db, join(folder, 'owner-key'), logger);
  expect(await readdir(folder)).toEqual([]);
});
