import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { WorkerError } from './error.ts';

/** What a worker process does; one process may have several roles. */
export const workerRoles = ['sign', 'enrol', 'deliver', 'reconcile'] as const;
export type WorkerRole = (typeof workerRoles)[number];

const MEBIBYTE = 1024 * 1024;

/** Whole numbers from text: `Number('')` is 0, so blank text is refused before the conversion. */
const integer = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum));

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const text = z.string().trim().min(1, 'must not be empty');
const secondsUpToOneDay = integer(1, 86_400);

const roles = text.transform((list, context): WorkerRole[] => {
  const parsed = z
    .array(z.enum(workerRoles))
    .min(1)
    .safeParse(list.split(',').map((r) => r.trim()));
  if (parsed.success) return [...new Set(parsed.data)];
  context.addIssue({ code: 'custom', message: `must be a list out of ${workerRoles.join(',')}` });
  return z.NEVER;
});

const environmentSchema = z.object({
  DATABASE_URL: text,
  DATABASE_POOL_SIZE: integer(1, 1_000).default(10),
  QUEUE_URL: text,
  QUEUE_PREFIX: text.optional(),
  S3_ENDPOINT: z.url().optional(),
  S3_REGION: text.default('us-east-1'),
  S3_ACCESS_KEY_ID: text.optional(),
  S3_ACCESS_KEY_ID_FILE: text.optional(),
  S3_SECRET_ACCESS_KEY: text.optional(),
  S3_SECRET_ACCESS_KEY_FILE: text.optional(),
  S3_FORCE_PATH_STYLE: flag.default(false),
  WEBHOOK_SECRET_KEY_FILE: text.optional(),
  WEBHOOK_ALLOW_PRIVATE_TARGETS: flag.default(false),
  WORKER_ROLES: roles.default([...workerRoles]),
  WORKER_CONCURRENCY: integer(1, 1_000).default(8),
  WORKER_ID: text.max(100).optional(),
  HSM_MODULE: text.optional(),
  HSM_SIGNING_TOKEN_URI: text.optional(),
  HSM_SIGNING_PIN_FILE: text.optional(),
  HSM_SESSIONS: integer(1, 1_000).default(4),
  HSM_PROVISIONING_TOKEN_URI: text.optional(),
  HSM_PROVISIONING_PIN_FILE: text.optional(),
  ENROLMENT_PUBLIC_KEY_FILE: text.optional(),
  CA_CERTIFICATE_FILE: text.optional(),
  CRL_URL: z.url().optional(),
  CERTIFICATE_POLICY_OID: z
    .string()
    .regex(/^[0-2](\.\d+)+$/, 'must be a dotted object identifier')
    .optional(),
  CERTIFICATE_VALIDITY_DAYS: integer(1, 3_650).default(730),
  MAX_DOCUMENT_BYTES: integer(1_024, 2_048 * MEBIBYTE).default(256 * MEBIBYTE),
  SIGNING_LEASE_SECONDS: integer(5, 3_600).default(30),
  SIGNING_TIMEOUT_SECONDS: secondsUpToOneDay.default(600),
  SIGNING_GIVE_UP_SECONDS: integer(1, 30 * 86_400).default(86_400),
  SIGNING_MAX_ATTEMPTS: integer(1, 100_000).default(5_000),
  WEBHOOK_TIMEOUT_SECONDS: integer(1, 120).default(15),
  RECONCILE_INTERVAL_SECONDS: secondsUpToOneDay.default(5),
  HEALTH_HOST: text.default('0.0.0.0'),
  HEALTH_PORT: integer(0, 65_535).default(0),
  SHUTDOWN_DEADLINE_SECONDS: secondsUpToOneDay.default(30),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});
export type WorkerEnvironment = z.infer<typeof environmentSchema>;

/** What each role cannot do without. */
const requiredByRole: Record<WorkerRole, readonly (keyof WorkerEnvironment)[]> = {
  sign: ['HSM_SIGNING_TOKEN_URI', 'HSM_SIGNING_PIN_FILE', 'ENROLMENT_PUBLIC_KEY_FILE'],
  enrol: ['HSM_PROVISIONING_TOKEN_URI', 'HSM_PROVISIONING_PIN_FILE', 'CA_CERTIFICATE_FILE'],
  deliver: ['WEBHOOK_SECRET_KEY_FILE'],
  reconcile: [],
};

/** The environment as the worker uses it: parsed once, frozen. Secrets only inside `storage`. */
export interface WorkerConfig extends WorkerEnvironment {
  readonly workerId: string;
  readonly s3Credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/**
 * Reads the worker's environment.
 *
 * @throws WorkerError `config_invalid` that names every bad or missing variable at once, never
 *   their values.
 */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
): WorkerConfig {
  // An empty variable is what compose files produce for one that is not set.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(given);
  const problems = parsed.success
    ? missingForRoles(parsed.data)
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (!parsed.success || problems.length > 0) {
    throw new WorkerError('config_invalid', `configuration: ${problems.join('; ')}`);
  }
  const credentials = readCredentials(parsed.data);
  return Object.freeze({
    ...parsed.data,
    workerId:
      parsed.data.WORKER_ID ?? `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`,
    ...(credentials === undefined ? {} : { s3Credentials: credentials }),
  });
}

function missingForRoles(environment: WorkerEnvironment): string[] {
  return environment.WORKER_ROLES.flatMap((role) =>
    requiredByRole[role]
      .filter((name) => environment[name] === undefined)
      .map((name) => `${name}: required by the role "${role}"`),
  );
}

/** Neither variable set means the SDK's default chain (instance role, profile). */
function readCredentials(environment: WorkerEnvironment): WorkerConfig['s3Credentials'] {
  const accessKeyId =
    environment.S3_ACCESS_KEY_ID ?? readSecretFile(environment, 'S3_ACCESS_KEY_ID_FILE');
  const secretAccessKey =
    environment.S3_SECRET_ACCESS_KEY ?? readSecretFile(environment, 'S3_SECRET_ACCESS_KEY_FILE');
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new WorkerError(
      'config_invalid',
      'configuration: S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY (or their _FILE forms) come as a pair',
    );
  }
  return { accessKeyId, secretAccessKey };
}

function readSecretFile(
  environment: WorkerEnvironment,
  name: 'S3_ACCESS_KEY_ID_FILE' | 'S3_SECRET_ACCESS_KEY_FILE',
): string | undefined {
  const path = environment[name];
  return path === undefined ? undefined : readConfiguredFile(name, path).toString('utf8').trim();
}

/**
 * Reads a file that a variable names.
 *
 * @throws WorkerError `config_invalid` naming the variable.
 */
export function readConfiguredFile(name: keyof WorkerEnvironment, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new WorkerError('config_invalid', `configuration: ${name}: the file can't be read`, {
      cause,
    });
  }
}
