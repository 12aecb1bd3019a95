import { applyMigrations } from '@signfleet/db';
import { z } from 'zod';
import { createLogger } from './logger.ts';

/** `node --import tsx apps/api/src/migrate.ts`: brings the schema of DATABASE_URL up to date. */
const { DATABASE_URL, LOG_LEVEL } = z
  .object({ DATABASE_URL: z.string().min(1), LOG_LEVEL: z.string().default('info') })
  .parse(process.env);
const logger = createLogger({ level: LOG_LEVEL, service: 'migrate' });
try {
  const applied = await applyMigrations(DATABASE_URL);
  logger.info({ applied }, 'database is up to date');
} catch (err) {
  logger.fatal({ err }, 'migration failed');
  process.exitCode = 1;
}
