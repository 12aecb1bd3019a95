import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { WorkerError } from '../src/error.ts';

const minimal = {
  DATABASE_URL: 'postgres://localhost/signfleet',
  QUEUE_URL: 'redis://localhost',
  WORKER_ROLES: 'reconcile',
};

function messageOf(environment: Record<string, string | undefined>): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof WorkerError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('readConfig', () => {
  it('fills in what may be left out, and freezes', () => {
    const config = readConfig(minimal);
    expect(config.WORKER_CONCURRENCY).toBe(8);
    expect(config.WORKER_ROLES).toEqual(['reconcile']);
    expect(config.workerId).toMatch(new RegExp(`-${process.pid}-[0-9a-f]{6}$`));
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('treats an empty variable as one that is not set', () => {
    expect(
      readConfig({ ...minimal, S3_ENDPOINT: '', HEALTH_PORT: '' }).S3_ENDPOINT,
    ).toBeUndefined();
  });

  it('names every bad variable at once, without their values', () => {
    const message = messageOf({
      QUEUE_URL: 'redis://localhost',
      WORKER_CONCURRENCY: 'hunter2',
      HEALTH_PORT: '65536',
      S3_FORCE_PATH_STYLE: 'yes',
      CERTIFICATE_POLICY_OID: 'x',
    });
    for (const name of [
      'DATABASE_URL',
      'WORKER_CONCURRENCY',
      'HEALTH_PORT',
      'S3_FORCE_PATH_STYLE',
      'CERTIFICATE_POLICY_OID',
    ]) {
      expect(message).toContain(name);
    }
    expect(message).toMatch(/^config_invalid /);
    expect(message).not.toContain('hunter2');
  });

  it('knows what each role needs', () => {
    const message = messageOf({ ...minimal, WORKER_ROLES: 'sign, enrol,deliver' });
    for (const name of [
      'HSM_SIGNING_TOKEN_URI',
      'HSM_SIGNING_PIN_FILE',
      'ENROLMENT_PUBLIC_KEY_FILE',
      'HSM_PROVISIONING_TOKEN_URI',
      'HSM_PROVISIONING_PIN_FILE',
      'CA_CERTIFICATE_FILE',
      'WEBHOOK_SECRET_KEY_FILE',
    ]) {
      expect(message).toContain(name);
    }
  });

  it('refuses an unknown role and a credential without its other half', () => {
    expect(messageOf({ ...minimal, WORKER_ROLES: 'sign,dance' })).toContain('WORKER_ROLES');
    expect(messageOf({ ...minimal, S3_ACCESS_KEY_ID: 'AK' })).toContain('as a pair');
  });

  it('reads credentials from files, without the trailing line end', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'worker-config-')), 'secret');
    writeFileSync(file, 's3cret\n', { mode: 0o600 });
    const config = readConfig({
      ...minimal,
      S3_ACCESS_KEY_ID: 'AK',
      S3_SECRET_ACCESS_KEY_FILE: file,
    });
    expect(config.s3Credentials).toEqual({ accessKeyId: 'AK', secretAccessKey: 's3cret' });
    expect(
      messageOf({ ...minimal, S3_ACCESS_KEY_ID: 'AK', S3_SECRET_ACCESS_KEY_FILE: `${file}.gone` }),
    ).toContain('S3_SECRET_ACCESS_KEY_FILE');
  });
});
