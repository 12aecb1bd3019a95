import { CodedError } from '@signfleet/errors';
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Names under which a secret could reach a log line by mistake, at the top or one level down. */
const secretNames = [
  'pin',
  'password',
  'secret',
  'secrets',
  'token',
  'authorization',
  'secretAccessKey',
  'wrappedKey',
  'bindingSignature',
  'DATABASE_URL',
  'QUEUE_URL',
];

const CAUSE_DEPTH = 4;

/** One JSON line per entry on stdout; secrets are replaced, errors keep their code and causes. */
export function createLogger(
  options: { readonly level: string; readonly workerId: string },
  destination?: DestinationStream,
): Logger {
  const settings = {
    level: options.level,
    base: { service: 'worker', workerId: options.workerId },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: secretNames.flatMap((name) => [name, `*.${name}`]),
      censor: '[redacted]',
    },
    serializers: { err: (error: unknown) => describeError(error) },
  };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}

/** An error as data for a log line: name, code, message, details and its causes, without URLs' credentials. */
export function describeError(error: unknown, depth = CAUSE_DEPTH): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: withoutCredentials(String(error)) };
  const code = error instanceof CodedError ? (error.code as unknown) : systemCode(error);
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: withoutCredentials(error.message),
    ...(error instanceof CodedError && Object.keys(error.details).length > 0
      ? { details: error.details }
      : {}),
    ...(error.stack === undefined ? {} : { stack: withoutCredentials(error.stack) }),
    ...(error.cause === undefined || depth === 0
      ? {}
      : { cause: describeError(error.cause, depth - 1) }),
    ...(error instanceof AggregateError && depth > 0
      ? { errors: error.errors.slice(0, 5).map((inner) => describeError(inner, depth - 1)) }
      : {}),
  };
}

/** `ECONNREFUSED` and the like, as Node puts them on its errors. */
function systemCode(error: Error): string | undefined {
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

function withoutCredentials(text: string): string {
  return text.replaceAll(/\/\/[^/@\s]+@/g, '//[redacted]@');
}
