import { STATUS_CODES } from 'node:http';
import { CodedError, type CodedErrorOptions } from '@signfleet/errors';

/**
 * Every problem this API answers with: its HTTP status and its fixed title. The only place where a
 * status is chosen. The keys are the stable `code` member of the problem details.
 */
export const problems = {
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  invalid_request: { status: 400, title: 'The request has invalid fields' },
  bad_request: { status: 400, title: 'The request cannot be processed' },
  unauthenticated: { status: 401, title: 'A valid API key is required' },
  scope_missing: { status: 403, title: 'The API key lacks a scope' },
  not_found: { status: 404, title: 'There is no such resource' },
  idempotency_mismatch: {
    status: 409,
    title: 'The idempotency key was used for another request',
  },
  already_exists: { status: 409, title: 'Such a resource exists already' },
  key_not_active: { status: 409, title: 'The key cannot sign now' },
  key_not_awaiting_certificate: {
    status: 409,
    title: 'The key does not wait for a certificate',
  },
  csr_not_available: { status: 409, title: 'The key has no certification request' },
  signing_not_cancelable: { status: 409, title: 'The signing is no longer queued' },
  signing_not_completed: { status: 409, title: 'The signing is not completed' },
  own_key: { status: 409, title: 'An API key cannot revoke itself' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  destination_is_source: { status: 422, title: 'The destination would overwrite the source' },
  object_not_allowed: { status: 422, title: 'The object may not be used' },
  certificate_rejected: { status: 422, title: 'The certificate chain was rejected' },
  internal_error: { status: 500, title: 'The server failed' },
  database_unavailable: { status: 503, title: 'The database is not available' },
  storage_unavailable: { status: 503, title: 'The object store is not available' },
  timeout: { status: 503, title: 'The request took too long' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** One invalid field of a request: where it is (RFC 6901 pointer), what is wrong. */
export interface FieldError {
  /** JSON pointer into the part of the request named by `in`. */
  readonly pointer: string;
  readonly in: 'body' | 'query' | 'path' | 'header';
  readonly code: string;
  readonly detail: string;
  /** Which certificate of a chain, 0 being the key's own. */
  readonly certificateIndex?: number;
}

/** RFC 9457 problem details, with our members `code`, `requestId` and `errors`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail?: string;
  readonly instance?: string;
  readonly requestId?: string;
  readonly errors?: readonly FieldError[];
}

export interface ApiErrorOptions extends CodedErrorOptions {
  readonly errors?: readonly FieldError[];
}

/** What a route throws to answer with a problem. `message` becomes the `detail` member. */
export class ApiError extends CodedError<ProblemCode> {
  readonly errors: readonly FieldError[];

  constructor(code: ProblemCode, message: string, options: ApiErrorOptions = {}) {
    super(code, message, options);
    this.errors = options.errors ?? [];
  }

  get status(): number {
    return problems[this.code].status;
  }
}

/** The same for everything a caller may not see, so that the answer tells nothing. */
export function notFound(): ApiError {
  return new ApiError('not_found', 'The resource does not exist or is not visible to this API key');
}

/** Seconds after which a client should try again, for the problems that pass by themselves. */
export function retryAfterSeconds(code: ProblemCode): number | undefined {
  return problems[code].status === 503 ? 2 : undefined;
}

/** The body of the answer to `error` (RFC 9457 section 3.1). */
export function problemDetails(error: ApiError, requestId?: string): Problem {
  const { status, title } = problems[error.code];
  return {
    type: `urn:signfleet:problem:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message === '' ? (STATUS_CODES[status] ?? title) : error.message,
    ...(requestId === undefined ? {} : { requestId }),
    ...(error.errors.length === 0 ? {} : { errors: error.errors }),
  };
}
