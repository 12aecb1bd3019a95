import { applyMigrations } from '@signfleet/db';
import { readMigrationConfig } from './config.ts';
import { createLogger } from './logger.ts';

/** `node --import tsx apps/api/src/migrate.ts`: brings the schema of DATABASE_URL up to date. */
let logger = createLogger({ level: 'info', service: 'migrate' });
try {
  const { DATABASE_URL, LOG_LEVEL } = readMigrationConfig(process.env);
  logger = createLogger({ level: LOG_LEVEL, service: 'migrate' });
  const applied = await applyMigrations(DATABASE_URL);
  logger.info({ applied }, 'database is up to date');
} catch (err) {
  logger.fatal({ err }, 'migration failed');
  process.exitCode = 1;
}
