import { CodedError } from '@signfleet/errors';
import { pino, type DestinationStream, type Logger } from 'pino';

const hidden = '[redacted]';

/** Members that never reach a log line, at the top of a line or one or two levels down. */
const secretMembers = [
  'authorization',
  'cookie',
  'token',
  'secret',
  'secrets',
  'pin',
  'password',
  'wrappedKey',
  'uploadUrl',
  'downloadUrl',
];

const secretsInText: readonly RegExp[] = [
  /\bsf_[0-9A-Za-z]+_[0-9A-Za-z_-]+/g,
  /\bwhsec_[0-9A-Za-z+/=_-]+/g,
  /\bBearer\s+[^\s"']+/gi,
  /(?<=\?)[^\s"'?]*X-Amz-[^\s"']*/gi,
  /(?<=:\/\/)[^\s/@:]+:[^\s/@]+(?=@)/g,
];

/** `text` without API keys, webhook secrets, presigned query strings and passwords in URLs. */
export function scrub(text: string): string {
  return secretsInText.reduce((scrubbed, pattern) => scrubbed.replace(pattern, hidden), text);
}

interface LoggedError {
  readonly type: string;
  readonly code?: unknown;
  readonly message: string;
  readonly stack?: string;
  readonly details?: unknown;
  readonly cause?: LoggedError;
}

/** An error and its causes by name, code, scrubbed message and stack: no other members. */
export function serializeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: scrub(String(error)) };
  return {
    type: error.name,
    message: scrub(error.message),
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(error instanceof CodedError ? { details: error.details } : {}),
    ...(error.stack === undefined ? {} : { stack: scrub(error.stack) }),
    ...(error.cause === undefined || depth > 4
      ? {}
      : { cause: serializeError(error.cause, depth + 1) }),
  };
}

/** One JSON object a line, RFC 3339 times, level names, secrets removed. */
export function createLogger(
  options: { level: string; service: string },
  destination?: DestinationStream,
): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => serializeError(error) },
      redact: {
        paths: secretMembers.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: hidden,
      },
    },
    destination ?? pino.destination({ sync: false }),
  );
}
