import { generateKeyPairSync } from 'node:crypto';

import { softwareSigner } from '@signfleet/pki';
import { describe, expect, it } from 'vitest';

import {
  bindKeyRecord,
  bindingMessage,
  bindingVerifier,
  type UnboundKeyRecord,
} from '../src/index.ts';
import { frameWrappedKey, unframeWrappedKey } from '../src/wrapped-key.ts';

const enrolment = softwareSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
const record: UnboundKeyRecord = {
  tenantId: 'ten_1',
  userId: 'usr_1',
  keyId: 'key_1',
  algorithm: 'P-256',
  publicKey: Uint8Array.of(1, 2, 3),
  keyEncryptionKeyId: 'ab',
  wrappedKey: frameWrappedKey(Uint8Array.of(4, 5, 6)),
};

describe('the binding of a key record', () => {
  it('has the documented bytes', () => {
    const hex = Buffer.from(bindingMessage(record)).toString('hex');
    const prefixed = (text: string): string =>
      Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]).toString('hex');
    const texts = ['signfleet key record v1', 'ten_1', 'usr_1', 'key_1', 'P-256', 'ab'];
    expect(hex.startsWith(texts.map(prefixed).join(''))).toBe(true);
    expect(hex.slice(texts.map(prefixed).join('').length)).toMatch(
      /^00000020[0-9a-f]{64}00000020[0-9a-f]{64}$/,
    );
  });

  it('differs when characters move from one field to the next', () => {
    const moved = { ...record, tenantId: 'ten_1u', userId: 'sr_1' };
    expect(bindingMessage(moved)).not.toEqual(bindingMessage(record));
  });

  it('is accepted as signed and refused in every one-byte change', async () => {
    const verify = bindingVerifier(enrolment.publicKey);
    const bound = await bindKeyRecord(record, enrolment);
    expect(() => {
      verify(bound);
    }).not.toThrow();
    for (let index = 0; index < bound.bindingSignature.length; index += 1) {
      const bindingSignature = Uint8Array.from(bound.bindingSignature);
      bindingSignature[index]! ^= 1;
      expect(() => {
        verify({ ...bound, bindingSignature });
      }).toThrow(expect.objectContaining({ code: 'binding_invalid' }));
    }
  });

  it('names what the row says differently', async () => {
    const verify = bindingVerifier(enrolment.publicKey);
    const bound = await bindKeyRecord(record, enrolment);
    const codeOf = (change: Partial<UnboundKeyRecord>): unknown => {
      try {
        verify({ ...bound, ...change });
      } catch (error) {
        return (error as { code: unknown }).code;
      }
      return undefined;
    };
    expect(codeOf({ algorithm: 'P-384' })).toBe('binding_mismatch');
    expect(codeOf({ keyEncryptionKeyId: 'cd' })).toBe('key_encryption_key_mismatch');
    expect(codeOf({ publicKey: Uint8Array.of(9) })).toBe('public_key_mismatch');
    expect(codeOf({ wrappedKey: frameWrappedKey(Uint8Array.of(9)) })).toBe('wrapped_key_mismatch');
    expect(codeOf({ wrappedKey: Uint8Array.of(9) })).toBe('wrapped_key_damaged');
  });

  it('is checked with a P-256 key only', () => {
    const other = softwareSigner(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey);
    expect(() => bindingVerifier(other.publicKey)).toThrow(
      expect.objectContaining({ code: 'binding_invalid' }),
    );
  });
});

describe('a framed wrapped key', () => {
  it('gives the blob back, or tells the damage', () => {
    const framed = frameWrappedKey(Uint8Array.of(1, 2, 3, 4));
    expect(unframeWrappedKey(framed)).toEqual(Buffer.from([1, 2, 3, 4]));
    for (let index = 0; index < framed.length; index += 1) {
      const damaged = Uint8Array.from(framed);
      damaged[index]! ^= 0x80;
      expect(() => unframeWrappedKey(damaged)).toThrow(
        expect.objectContaining({ code: 'wrapped_key_damaged' }),
      );
    }
    expect(() => unframeWrappedKey(framed.subarray(0, 5))).toThrow();
  });
});
