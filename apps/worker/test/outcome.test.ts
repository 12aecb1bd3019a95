import { HsmError } from '@signfleet/hsm';
import { PdfError } from '@signfleet/pdf';
import { StorageError } from '@signfleet/storage';
import { describe, expect, it } from 'vitest';
import { WorkerError } from '../src/error.ts';
import { failureMessage, failureMessages } from '../src/failure.ts';
import { verdictOf } from '../src/outcome.ts';
import { nextStep } from '../src/retry.ts';

const limits = { giveUpSeconds: 60, maxAttempts: 10 };
const row = { kind: 'sign-document', attempt: 1, startedAt: new Date(), limits } as const;

describe('verdictOf', () => {
  it.each([
    [new StorageError('unavailable', ''), 'wait'],
    [new HsmError('session_lost', ''), 'wait'],
    [new HsmError('pin_rejected', ''), 'wait'],
    [new WorkerError('fenced', ''), 'drop'],
    [new WorkerError('self_check_failed', ''), 'puzzle'],
    [new TypeError('x is not a function'), 'puzzle'],
  ])('%s → %s', (error, kind) => {
    expect(verdictOf(error).kind).toBe(kind);
  });

  it.each([
    [new PdfError('not_a_pdf', ''), 'not_a_pdf'],
    [new PdfError('encrypted', ''), 'encrypted'],
    [new HsmError('binding_mismatch', ''), 'binding_mismatch'],
    [new HsmError('unwrap_rejected', ''), 'unwrap_rejected'],
    [new WorkerError('source_changed', ''), 'source_changed'],
    [new WorkerError('key_not_active', ''), 'key_not_active'],
  ])('%s fails at once as %s', (error, code) => {
    expect(verdictOf(error)).toMatchObject({ kind: 'fail', code });
    expect(nextStep(verdictOf(error), row)).toEqual({ step: 'fail', code });
  });
});

describe('nextStep', () => {
  const outage = verdictOf(new StorageError('unavailable', ''));

  it('waits through an outage, with growing but bounded delays', () => {
    for (let attempt = 1; attempt < limits.maxAttempts; attempt += 1) {
      const step = nextStep(outage, { ...row, attempt });
      expect(step.step).toBe('retry');
      expect(step.step === 'retry' && step.inMs).toBeLessThanOrEqual(60_000);
    }
  });

  it('gives up by attempts and by age', () => {
    const code = 'gave_up';
    expect(nextStep(outage, { ...row, attempt: 10 })).toEqual({ step: 'fail', code });
    const startedAt = new Date(Date.now() - 61_000);
    expect(nextStep(outage, { ...row, startedAt })).toEqual({ step: 'fail', code });
  });

  it('tries what nobody foresaw a few times only', () => {
    const puzzle = verdictOf(new Error('?'));
    expect(nextStep(puzzle, { ...row, attempt: 4 }).step).toBe('retry');
    expect(nextStep(puzzle, { ...row, attempt: 5 })).toEqual({
      step: 'fail',
      code: 'internal_error',
    });
  });
});

it('tells callers in sentences', () => {
  for (const message of Object.values(failureMessages)) expect(message).toMatch(/^[A-Z].*\.$/);
});

it('tells where in the document the fault is, and nothing else of an error', () => {
  const damaged = (details: Record<string, number | string>) =>
    failureMessage('damaged', new PdfError('damaged', 'raw words', { details }));
  expect(damaged({ offset: 2815238 })).toMatch(/^The document is damaged .*\(at byte 2815238\)\.$/);
  expect(damaged({ offset: 9, objectNumber: 7 })).toMatch(/\(at byte 9, in object 7\)\.$/);
  expect(damaged({ secret: 'x' })).toBe(failureMessages.damaged);
  expect(failureMessage('gave_up', new Error('raw words'))).toBe(failureMessages.gave_up);
});
