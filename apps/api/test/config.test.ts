import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, readConfig, readMigrationConfig } from '../src/config.ts';

const minimal = {
  DATABASE_URL: 'postgres://signfleet@127.0.0.1/signfleet',
  QUEUE_URL: 'redis://127.0.0.1',
  WEBHOOK_SECRET_KEY_FILE: '/run/secrets/webhook-key',
};

function faultOf(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('the settings were accepted');
}

test('fills in defaults and freezes the result', () => {
  const config = readConfig(minimal);
  expect(config).toMatchObject({ HOST: '127.0.0.1', PORT: 8080, S3_FORCE_PATH_STYLE: false });
  expect(Object.isFrozen(config)).toBe(true);
});

test('names every bad setting at once, without their values', () => {
  const message = faultOf({
    DATABASE_URL: 'mysql://u:hunter2@h/d',
    PORT: '70000',
    S3_FORCE_PATH_STYLE: 'maybe',
    S3_ACCESS_KEY_ID: 'only-one',
  });
  for (const name of [
    'DATABASE_URL',
    'QUEUE_URL',
    'PORT',
    'S3_FORCE_PATH_STYLE',
    'WEBHOOK_SECRET_KEY_FILE',
    'S3_SECRET_ACCESS_KEY',
  ]) {
    expect(message).toContain(name);
  }
  expect(message).not.toContain('hunter2');
});

test('an empty setting counts as absent', () => {
  expect(readConfig({ ...minimal, S3_ENDPOINT: '', PORT: '' }).PORT).toBe(8080);
});

test('reads secrets from files and names an unreadable file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'config-'));
  writeFileSync(join(directory, 'id'), 'access\n');
  writeFileSync(join(directory, 'secret'), 'hidden\n');
  const config = readConfig({
    ...minimal,
    S3_ACCESS_KEY_ID_FILE: join(directory, 'id'),
    S3_SECRET_ACCESS_KEY_FILE: join(directory, 'secret'),
  });
  expect(config).toMatchObject({ S3_ACCESS_KEY_ID: 'access', S3_SECRET_ACCESS_KEY: 'hidden' });
  const message = faultOf({ ...minimal, S3_SECRET_ACCESS_KEY_FILE: join(directory, 'absent') });
  expect(message).toContain('S3_SECRET_ACCESS_KEY_FILE');
});

test('splits the list of allowed buckets', () => {
  expect(readConfig({ ...minimal, S3_ALLOWED_BUCKETS: 'in, out ,' }).S3_ALLOWED_BUCKETS).toEqual([
    'in',
    'out',
  ]);
});

test('the migration needs the database only, also from a file', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'config-')), 'url');
  writeFileSync(path, `${minimal.DATABASE_URL}\n`);
  expect(readMigrationConfig({ DATABASE_URL_FILE: path })).toEqual({
    DATABASE_URL: minimal.DATABASE_URL,
    LOG_LEVEL: 'info',
  });
  expect(() => readMigrationConfig({})).toThrow(/DATABASE_URL/);
});
