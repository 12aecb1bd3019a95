import { readFileSync } from 'node:fs';
import { CodedError } from '@signfleet/errors';
import { z } from 'zod';

export class ConfigError extends CodedError<'config_invalid'> {}

const port = z.coerce.number().int().min(0).max(65_535);
const seconds = z.coerce.number().positive().max(3_600);
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const url = (protocols: RegExp) => z.url({ protocol: protocols });
const bucketList = z.string().transform((text) =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== ''),
);

const environment = z.object({
  DATABASE_URL: url(/^postgres(ql)?$/),
  QUEUE_URL: z.string().min(1),
  QUEUE_PREFIX: z.string().trim().min(1).optional(),
  S3_ENDPOINT: url(/^https?$/).optional(),
  S3_PUBLIC_ENDPOINT: url(/^https?$/).optional(),
  S3_REGION: z.string().min(1).default('us-east-1'),
  S3_ACCESS_KEY_ID: z.string().min(1).optional(),
  S3_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  S3_FORCE_PATH_STYLE: flag.default(false),
  S3_ALLOWED_BUCKETS: bucketList.optional(),
  UPLOAD_BUCKET: z.string().min(3).max(63).default('signfleet'),
  WEBHOOK_SECRET_KEY_FILE: z.string().min(1),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: port.default(8080),
  BOOTSTRAP_API_KEY_FILE: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  REQUEST_TIMEOUT_SECONDS: seconds.default(10),
  SHUTDOWN_DEADLINE_SECONDS: seconds.default(20),
});

/** Settings whose value may instead be the content of the file named by `<NAME>_FILE`. */
const fromFile = ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY', 'DATABASE_URL', 'QUEUE_URL'] as const;

type Env = Readonly<Record<string, string | undefined>>;

export type Config = Readonly<z.infer<typeof environment>>;
export type MigrationConfig = Readonly<z.infer<typeof migrationEnvironment>>;

const migrationEnvironment = environment.pick({ DATABASE_URL: true, LOG_LEVEL: true });

/**
 * Reads the settings of the API process. An empty variable counts as absent.
 *
 * @throws {ConfigError} `config_invalid`, naming every bad variable at once, never their values.
 */
export function readConfig(env: Env): Config {
  const { present, faults } = withFiles(env);
  const [keyId, secret] = [present['S3_ACCESS_KEY_ID'], present['S3_SECRET_ACCESS_KEY']];
  if ((keyId === undefined) !== (secret === undefined)) {
    faults.push('S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY: give both or neither');
  }
  return accept(environment.safeParse(present), faults);
}

/** Reads the settings of the migration. Throws like {@link readConfig}. */
export function readMigrationConfig(env: Env): MigrationConfig {
  const { present, faults } = withFiles(env);
  return accept(migrationEnvironment.safeParse(present), faults);
}

function withFiles(env: Env): { present: Record<string, string | undefined>; faults: string[] } {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const faults: string[] = [];
  for (const name of fromFile) {
    const path = present[`${name}_FILE`];
    if (path === undefined || present[name] !== undefined) continue;
    try {
      present[name] = readFileSync(path, 'utf8').trim();
    } catch {
      faults.push(`${name}_FILE: the file cannot be read`);
    }
  }
  return { present, faults };
}

function accept<Settings>(
  parsed: z.ZodSafeParseResult<Settings>,
  faults: readonly string[],
): Readonly<Settings> {
  const invalid = (parsed.error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );
  const all = [...faults, ...invalid];
  if (parsed.data === undefined || all.length > 0) {
    throw new ConfigError('config_invalid', `bad settings: ${all.join('; ')}`);
  }
  return Object.freeze(parsed.data);
}
