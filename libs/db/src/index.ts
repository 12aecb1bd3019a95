export { DbError, type DbErrorCode } from './error.ts';
export { applyMigrations, diffMigrations } from './migrate.ts';
