import { describe, expect, it } from 'vitest';
import { jobKinds, retryDelay, type JobKind } from '../src/index.ts';

const hour = 3_600_000;

describe('retryDelay', () => {
  it('doubles the ceiling of a signing job up to a minute, with full jitter', () => {
    const ceilings = [1, 2, 3, 7, 8, 50].map((attempt) =>
      retryDelay({ kind: 'sign-document', attempt, random: () => 1 }),
    );
    expect(ceilings).toEqual([500, 1_000, 2_000, 32_000, 60_000, 60_000]);
    expect(retryDelay({ kind: 'sign-document', attempt: 5, random: () => 0 })).toBe(0);
  });

  it('delivers webhooks for about three days', () => {
    let total = 0;
    let attempt = 1;
    for (;;) {
      const delay = retryDelay({ kind: 'deliver-webhook', attempt, random: () => 0 });
      if (delay === undefined) break;
      total += delay;
      attempt += 1;
    }
    expect(attempt).toBe(10);
    expect(total).toBeGreaterThan(72 * hour);
    expect(total).toBeLessThan(80 * hour);
    expect(retryDelay({ kind: 'deliver-webhook', attempt: 1, random: () => 1 })).toBe(5_500);
  });

  it('leaves it to the row when to give up, except for webhooks', () => {
    for (const kind of jobKinds) expect(retryDelay({ kind, attempt: 1 })).toBeTypeOf('number');
    const lasting = (kind: JobKind) => retryDelay({ kind, attempt: 1_000_000, random: () => 1 });
    expect(lasting('sign-document')).toBe(60_000);
    expect(lasting('enrol-key')).toBe(120_000);
    expect(lasting('deliver-webhook')).toBeUndefined();
  });
});
