import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { holdLease } from '../src/lease.ts';
import { createLogger } from '../src/logging.ts';

const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
const log = createLogger({ level: 'warn', workerId: 'test' }, silent);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('extends a lease until it is ended', async () => {
  let extensions = 0;
  const extend = (): Promise<'extended'> => {
    extensions += 1;
    return Promise.resolve('extended');
  };
  const lease = holdLease({ leaseSeconds: 30, since: performance.now(), extend, log });
  await vi.advanceTimersByTimeAsync(95_000);
  expect(extensions).toBe(9);
  lease.assertHeld();
  lease.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(extensions).toBe(9);
});

it('is lost as soon as an extension is refused', async () => {
  const lease = holdLease({
    leaseSeconds: 30,
    since: performance.now(),
    extend: () => Promise.resolve('fenced'),
    log,
  });
  lease.assertHeld();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'fenced' }));
  lease.end();
});

it('outlasts a short outage of the database, and counts as lost after a long one', async () => {
  const extend = (): Promise<'extended'> => Promise.reject(new Error('no database'));
  const lease = holdLease({ leaseSeconds: 30, since: performance.now(), extend, log });
  await vi.advanceTimersByTimeAsync(29_000);
  lease.assertHeld();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'fenced' }));
  lease.end();
});

it('is no longer than the claim was asked for ago, and is lost when it is ended', () => {
  const extend = (): Promise<'extended'> => Promise.resolve('extended');
  const late = holdLease({ leaseSeconds: 30, since: performance.now() - 31_000, extend, log });
  expect(() => late.assertHeld()).toThrow(expect.objectContaining({ code: 'fenced' }));
  late.end();
  const lease = holdLease({ leaseSeconds: 30, since: performance.now(), extend, log });
  lease.assertHeld();
  lease.end();
  expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'fenced' }));
});
