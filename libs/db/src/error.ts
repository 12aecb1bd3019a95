import { CodedError } from '@signfleet/errors';

/**
 * - `unavailable`: the database cannot be reached or gave up the transaction; the same call may succeed later.
 * - `conflict`: a row with the same unique value exists.
 * - `not_found`: the row does not exist, or not for this tenant.
 * - `invalid_state`: the row exists, but its state forbids the transition.
 * - `idempotency_mismatch`: the idempotency key was used with another request.
 * - `constraint`: a foreign key, check or trigger refused the change.
 * - `invalid_input`: an argument is outside its documented bounds.
 * - `migration_failed`: the schema could not be brought up to date.
 * - `unexpected`: anything else; a fault in this program or in the database.
 */
export type DbErrorCode =
  | 'unavailable'
  | 'conflict'
  | 'not_found'
  | 'invalid_state'
  | 'idempotency_mismatch'
  | 'constraint'
  | 'invalid_input'
  | 'migration_failed'
  | 'unexpected';

/** What this library throws. */
export class DbError extends CodedError<DbErrorCode> {
  /** Whether the same call may succeed later without any change. */
  get retryable(): boolean {
    return this.code === 'unavailable';
  }
}
