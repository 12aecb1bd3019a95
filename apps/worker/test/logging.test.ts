import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { WorkerError } from '../src/error.ts';
import { createLogger } from '../src/logging.ts';

function capture(): { lines: Record<string, unknown>[]; stream: Writable } {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  return { lines, stream };
}

it('puts the signing id on every line of a child and hides secrets', () => {
  const { lines, stream } = capture();
  const log = createLogger({ level: 'info', workerId: 'w1' }, stream).child({ signingId: 'sig_1' });
  log.info({ pin: '1234', request: { authorization: 'Bearer sf_x' }, wrappedKey: 'AAAA' }, 'first');
  log.warn('second');
  expect(lines.map((line) => [line['signingId'], line['workerId'], line['level']])).toEqual([
    ['sig_1', 'w1', 'info'],
    ['sig_1', 'w1', 'warn'],
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/1234|Bearer|AAAA/);
});

it('logs an error with code and causes, and without the credentials of a URL in its text', () => {
  const { lines, stream } = capture();
  const cause = new Error('connect postgres://app:hunter2@db/signfleet failed');
  const error = new WorkerError('source_changed', 'pinned', { cause, details: { size: 3 } });
  createLogger({ level: 'info', workerId: 'w1' }, stream).error({ err: error }, 'failed');
  expect(lines[0]?.['err']).toMatchObject({
    name: 'WorkerError',
    code: 'source_changed',
    details: { size: 3 },
    cause: { message: 'connect postgres://[redacted]@db/signfleet failed' },
  });
  expect(JSON.stringify(lines)).not.toContain('hunter2');
});
