import { applyMigrations } from './migrate.ts';

/** `DATABASE_URL=postgres://… node --import tsx libs/db/src/migrate-command.ts` */
const url = process.env['DATABASE_URL'];
if (url === undefined || url === '') {
  process.stderr.write('DATABASE_URL is not set\n');
  process.exitCode = 2;
} else {
  const applied = await applyMigrations(url);
  process.stdout.write(
    applied.length === 0 ? 'the schema is up to date\n' : `applied ${applied.join(', ')}\n`,
  );
}
