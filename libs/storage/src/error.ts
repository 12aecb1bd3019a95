import { CodedError } from '@signfleet/errors';

/** Why an object could not be read or written. */
export type StorageErrorCode =
  /** No such object, or no such version of it. */
  | 'not_found'
  /** `ifNoneMatch` was asked for and the object exists. */
  | 'precondition_failed'
  | 'access_denied'
  /** The network, a 5xx answer, a conflict or a limit: the same call may succeed later. */
  | 'unavailable'
  /** The object has more than `maxBytes` bytes. */
  | 'too_large'
  | 'bucket_missing'
  /** The store finds the request itself wrong (a bucket or key name, a redirect): repeating it is no use. */
  | 'request_rejected';

/** The one error class of this library. */
export class StorageError extends CodedError<StorageErrorCode> {}
