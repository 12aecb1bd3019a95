import { describe, expect, it } from 'vitest';
import { eventBody } from '../src/index.ts';

const timestamp = new Date('2026-05-04T03:02:01.234Z');

describe('eventBody', () => {
  it('puts type, time and data into the envelope', () => {
    const body = eventBody({ type: 'signing.completed', timestamp, data: { signingId: 'sig_1' } });
    expect(body).toBe(
      '{"type":"signing.completed","timestamp":"2026-05-04T03:02:01.234Z","data":{"signingId":"sig_1"}}',
    );
  });

  it.each(['', 'signing', 'Signing.completed', 'signing..completed', 'signing.completed\n'])(
    'refuses the type %j',
    (type) => {
      expect(() => eventBody({ type, timestamp, data: {} })).toThrow(
        expect.objectContaining({ code: 'event_invalid' }),
      );
    },
  );

  it('refuses an event without a time', () => {
    expect(() => eventBody({ type: 'a.b', timestamp: new Date(NaN), data: {} })).toThrow(
      expect.objectContaining({ code: 'event_invalid' }),
    );
  });
});
