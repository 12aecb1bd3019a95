export { openDatabase, type Database, type DatabaseOptions } from './database.ts';
export { DbError, type DbErrorCode } from './error.ts';
export { applyMigrations, diffMigrations } from './migrate.ts';
export { newId, type IdPrefix } from './ids.ts';
export type { Created, Idempotency } from './idempotency.ts';
export type { Page, PageRequest } from './page.ts';
export type { EventType } from './emit.ts';
export type {
  DestinationObject,
  Signing,
  SigningRequest,
  SigningResult,
  SigningState,
  SourceObject,
} from './signing.ts';
export {
  createBatch,
  createSigning,
  MAX_BATCH_ITEMS,
  type BatchItem,
  type BatchSubmission,
  type Rejection,
  type Submission,
  type SubmittedBatch,
} from './submit-signings.ts';
export {
  claimSigning,
  extendSigningLease,
  releaseSigning,
  type ClaimedSigning,
  type ClaimRefusal,
  type WrappedKey,
} from './claim-signing.ts';
export {
  cancelBatch,
  cancelSigning,
  completeSigning,
  failSigning,
  type Cancellation,
  type Finished,
} from './finish-signing.ts';
export { getBatch, getSigning, listBatches, listSignings, type SigningFilter } from './signings.ts';
