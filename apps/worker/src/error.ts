import { CodedError } from '@signfleet/errors';

/** What can go wrong in the worker itself, as opposed to in a library it calls. */
export type WorkerErrorCode =
  /** A variable of the environment is missing or wrong. */
  | 'config_invalid'
  /** The process is shutting down and the operation was not started. */
  | 'stopping'
  /** The lease of the signing was lost to another worker: nothing more may be published. */
  | 'fenced'
  /** Something that the work needs has not answered for too long; another attempt may go better. */
  | 'timed_out'
  /** The row was claimed more often than allowed: its document may be what ends its workers. */
  | 'attempts_exhausted'
  /** There is no object at the source (or not that version of it). */
  | 'source_not_found'
  /** The source is not what the caller pinned by `sha256` or `versionId`. */
  | 'source_changed'
  /** The source is larger than this worker takes. */
  | 'source_too_large'
  /** The worker's S3 credentials may not read the source. */
  | 'source_access_denied'
  /** Another object is at the destination already. */
  | 'destination_exists'
  /** The destination's bucket does not exist. */
  | 'destination_not_found'
  /** The worker's S3 credentials may not write the destination. */
  | 'destination_access_denied'
  /** The key of the signing is not active (revoked, failed, still pending). */
  | 'key_not_active'
  /** The key has no certificate yet. */
  | 'certificate_missing'
  /** The key's certificate is not valid now. */
  | 'certificate_not_valid'
  /** The key's certificate is of another public key than its record's. */
  | 'certificate_mismatch'
  /** The worker's own check of its output failed; nothing was published. */
  | 'self_check_failed';

export class WorkerError extends CodedError<WorkerErrorCode> {}
