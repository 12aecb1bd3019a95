import { ApiError } from '../src/errors.ts';
import { createLogger, scrub, serializeError } from '../src/logger.ts';
import { expect, test } from 'vitest';

const secrets = {
  token: 'sf_0123abcd_SECRETPART',
  webhook: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  presigned: 'http://s3.local/b/k?X-Amz-Credential=AKIA&X-Amz-Signature=deadbeef',
  database: 'postgres://signfleet:hunter2@db:5432/signfleet',
  header: 'Bearer abc.def-ghi',
};

test('scrub removes tokens, webhook secrets, presigned queries and passwords', () => {
  const scrubbed = scrub(Object.values(secrets).join(' '));
  for (const part of ['SECRETPART', 'MfKQ9r8', 'AKIA', 'deadbeef', 'hunter2', 'abc.def']) {
    expect(scrubbed).not.toContain(part);
  }
  expect(scrubbed).toContain('http://s3.local/b/k?');
  expect(scrubbed).toContain('@db:5432/signfleet');
});

test('an error is logged with its code and causes, and nothing else of it', () => {
  const cause = Object.assign(new Error(`connect ${secrets.database}`), {
    code: 'ECONNREFUSED',
    parameters: ['private'],
  });
  const line = JSON.stringify(
    serializeError(new ApiError('internal_error', `failed with ${secrets.token}`, { cause })),
  );
  expect(line).toContain('ECONNREFUSED');
  expect(line).toContain('internal_error');
  for (const part of ['private', 'hunter2', 'SECRETPART']) expect(line).not.toContain(part);
});

test('a log line hides secret members and errors are scrubbed', () => {
  const lines: string[] = [];
  const logger = createLogger(
    { level: 'info', service: 'api' },
    { write: (line: string) => void lines.push(line) },
  );
  logger.info(
    {
      headers: { authorization: secrets.header },
      token: secrets.token,
      err: new Error(secrets.token),
    },
    'request',
  );
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', service: 'api', msg: 'request' });
  expect(lines[0]).not.toContain('SECRETPART');
  expect(lines[0]).not.toContain('abc.def');
});
