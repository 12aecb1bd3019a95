import { StorageError, type StorageErrorCode } from './error.ts';

/** S3 error codes whose HTTP status alone does not tell what they mean. */
const codesByName: Readonly<Record<string, StorageErrorCode>> = {
  NoSuchBucket: 'bucket_missing',
  NoSuchKey: 'not_found',
  NoSuchVersion: 'not_found',
  NotFound: 'not_found',
  ConditionalRequestConflict: 'unavailable', // another write is under way: repeat
  OperationAborted: 'unavailable',
  RequestTimeout: 'unavailable', // 400: the body came too slowly
};

/** HTTP statuses of S3 answers; 5xx is handled apart. */
const codesByStatus: Readonly<Record<number, StorageErrorCode>> = {
  401: 'access_denied',
  403: 'access_denied',
  404: 'not_found',
  405: 'not_found', // the version named is a delete marker
  412: 'precondition_failed',
  429: 'unavailable',
};

interface ServiceFailure {
  readonly name?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
}

/** Maps what the SDK throws. The location is not in the message: keys can name persons. */
export function toStorageError(cause: unknown, operation: string): StorageError {
  const { name, $metadata } = cause as ServiceFailure;
  const status = $metadata?.httpStatusCode;
  const details = {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof status === 'number' ? { status } : {}),
  };
  const code = codeOf(name, status);
  return new StorageError(code, `${operation}: ${String(name)}`, { cause, details });
}

function codeOf(name: unknown, status: unknown): StorageErrorCode {
  const named = typeof name === 'string' ? codesByName[name] : undefined;
  if (named !== undefined) return named;
  if (typeof status !== 'number') return 'unavailable'; // no answer at all: the network
  if (status >= 500 || status < 300) return 'unavailable'; // 2xx: the answer broke off
  return codesByStatus[status] ?? 'request_rejected';
}
