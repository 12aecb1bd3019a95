import { describe, expect, it } from 'vitest';
import { parseJobPayload } from '../src/job-kind.ts';

describe('parseJobPayload', () => {
  it('returns the row id', () => {
    expect(parseJobPayload({ id: 'sig_0198' }, 'sig_0198')).toBe('sig_0198');
  });

  it.each([
    ['of another job', { id: 'sig_2' }, 'sig_1'],
    ['with more in it', { id: 'sig_1', key: 'x' }, 'sig_1'],
    ['that is no object', 'sig_1', 'sig_1'],
    ['without an id', {}, undefined],
    ['with an unusable id', { id: '1:1' }, '1:1'],
  ])('refuses a payload %s', (_name, payload, id) => {
    expect(() => parseJobPayload(payload, id)).toThrow(
      expect.objectContaining({ code: 'payload_invalid' }),
    );
  });
});
