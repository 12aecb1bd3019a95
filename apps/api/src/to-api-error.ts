import { DbError } from '@signfleet/db';
import { StorageError } from '@signfleet/storage';
import { ApiError, notFound, type ProblemCode } from './errors.ts';

/** The problem to answer with for whatever a route threw. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof DbError) return databaseProblem(error);
  if (error instanceof StorageError) {
    return new ApiError('storage_unavailable', 'Try again in a moment', { cause: error });
  }
  return frameworkProblem(error) ?? internal(error);
}

function internal(cause: unknown): ApiError {
  return new ApiError('internal_error', 'The fault is logged under the requestId', { cause });
}

function databaseProblem(cause: DbError): ApiError {
  switch (cause.code) {
    case 'unavailable':
      return new ApiError('database_unavailable', 'Try again in a moment', { cause });
    case 'not_found':
      return notFound();
    case 'conflict':
      return new ApiError('already_exists', 'A unique value of this request is taken', { cause });
    case 'idempotency_mismatch':
      return new ApiError('idempotency_mismatch', 'Use a new Idempotency-Key', { cause });
    case 'invalid_state':
    case 'constraint':
    case 'invalid_input':
    case 'migration_failed':
    case 'unexpected':
      return internal(cause);
  }
}

const frameworkCodes: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_HANDLER_TIMEOUT: 'timeout',
  FST_ERR_BAD_URL: 'not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
};

const frameworkDetails: Partial<Record<ProblemCode, string>> = {
  malformed_json: 'The body must be one JSON value (RFC 8259)',
  body_too_large: 'Split the request: each route has a body limit',
  unsupported_media_type: 'Send the body with "Content-Type: application/json"',
  timeout: 'The request took longer than the server allows; try again',
};

/** The problem behind an error of the web framework, if it is the client's or a time-out. */
function frameworkProblem(error: unknown): ApiError | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const framework = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const code = error instanceof SyntaxError ? 'malformed_json' : frameworkCodes[framework];
  if (code === 'not_found') return notFound();
  if (code !== undefined) return new ApiError(code, frameworkDetails[code] ?? '', { cause: error });
  if (typeof error.statusCode !== 'number' || error.statusCode >= 500) return undefined;
  return new ApiError('bad_request', 'The request could not be read', { cause: error });
}
