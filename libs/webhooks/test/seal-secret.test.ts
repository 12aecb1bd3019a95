import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { generateSecret, openSecret, parseSealingKey, sealSecret } from '../src/index.ts';

const bytes = randomBytes(32);
const key = parseSealingKey(bytes.toString('hex'));
const secret = generateSecret();
const endpointId = 'whe_1';

describe('parseSealingKey', () => {
  it('reads hex, base64 and base64url, with a line end', () => {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      const parsed = parseSealingKey(`${bytes.toString(encoding)}\n`);
      expect(parsed.export()).toEqual(bytes);
    }
  });

  it.each(['', 'secret', bytes.subarray(1).toString('hex'), randomBytes(33).toString('base64')])(
    'refuses %j',
    (text) => {
      expect(() => parseSealingKey(text)).toThrow(
        expect.objectContaining({ code: 'sealing_key_invalid' }),
      );
    },
  );
});

describe('sealSecret', () => {
  it('opens again', () => {
    const sealed = sealSecret({ secret, endpointId, key });
    expect(openSecret({ sealed, endpointId, key })).toBe(secret);
    expect(Buffer.from(sealed).includes(secret)).toBe(false);
  });

  it('never seals twice alike', () => {
    expect(sealSecret({ secret, endpointId, key })).not.toEqual(
      sealSecret({ secret, endpointId, key }),
    );
  });

  it('refuses what is no signing secret', () => {
    expect(() => sealSecret({ secret: 'hunter2', endpointId, key })).toThrow(
      expect.objectContaining({ code: 'secret_invalid' }),
    );
  });

  it('does not open for another endpoint, under another key, or damaged anywhere', () => {
    const sealed = sealSecret({ secret, endpointId, key });
    const refused = expect.objectContaining({ code: 'sealed_secret_invalid' }) as Error;
    const other = parseSealingKey(randomBytes(32).toString('base64'));
    expect(() => openSecret({ sealed, endpointId: 'whe_2', key })).toThrow(refused);
    expect(() => openSecret({ sealed, endpointId, key: other })).toThrow(refused);
    for (let position = 0; position < sealed.length; position += 1) {
      const damaged = Uint8Array.from(sealed);
      damaged[position]! ^= 1;
      expect(() => openSecret({ sealed: damaged, endpointId, key })).toThrow(refused);
      expect(() => openSecret({ sealed: sealed.subarray(0, position), endpointId, key })).toThrow(
        refused,
      );
    }
  });
});
