import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import {
  algorithmFacts,
  ecdsaSignatureDer,
  keyAlgorithmOf,
  keyAlgorithms,
  parseKeyAlgorithm,
  PkiError,
  softwareSigner,
  verifyWithPublicKey,
} from '../src/index.ts';
import { testPrivateKey } from '../../testing/src/test-pki.ts';
import { openssl } from './openssl.ts';

const message = Buffer.from('what is signed');

describe.each(keyAlgorithms)('%s', (algorithm) => {
  it('signs in the form that openssl verifies', async () => {
    const signer = softwareSigner(await testPrivateKey(algorithm));
    const signature = await signer.sign(message);
    const { status, output } = openssl(
      ['dgst', `-${algorithmFacts[algorithm].digest}`, '-verify', 'key', '-signature', 's', 'm'],
      {
        key: `-----BEGIN PUBLIC KEY-----\n${Buffer.from(signer.publicKey).toString('base64')}\n-----END PUBLIC KEY-----\n`,
        s: signature,
        m: message,
      },
    );
    expect(output).toContain('Verified OK');
    expect(status).toBe(0);
    expect(signer.algorithm).toBe(algorithm);
    expect(keyAlgorithmOf(signer.publicKey)).toBe(algorithm);
    expect(signature.length).toBeLessThanOrEqual(algorithmFacts[algorithm].maxSignatureBytes);
  });

  it('verifies its own signature and no other message, key algorithm or signature', async () => {
    const signer = softwareSigner(await testPrivateKey(algorithm));
    const { publicKey } = signer;
    const signature = await signer.sign(message);
    expect(verifyWithPublicKey({ algorithm, publicKey, message, signature })).toBe(true);
    const other = Buffer.from('what was not');
    expect(verifyWithPublicKey({ algorithm, publicKey, message: other, signature })).toBe(false);
    const foreign = keyAlgorithms.find((name) => name !== algorithm)!;
    expect(verifyWithPublicKey({ algorithm: foreign, publicKey, message, signature })).toBe(false);
    const cut = signature.subarray(1);
    expect(verifyWithPublicKey({ algorithm, publicKey, message, signature: cut })).toBe(false);
  });
});

describe('the algorithm table', () => {
  it('knows its own names and no others', () => {
    for (const name of keyAlgorithms) expect(parseKeyAlgorithm(name)).toBe(name);
    for (const name of ['', 'rsa-2048', 'RSA-1024', 'P-521', '__proto__', 'toString'])
      expect(() => parseKeyAlgorithm(name)).toThrow(
        expect.objectContaining({ code: 'algorithm_unsupported' }),
      );
  });

  it('refuses keys outside the table', () => {
    for (const pair of [
      generateKeyPairSync('ec', { namedCurve: 'P-521' }),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('rsa', { modulusLength: 1024 }),
      generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
      generateKeyPairSync('ed25519'),
    ])
      expect(() => softwareSigner(pair.privateKey)).toThrow(
        expect.objectContaining({ code: 'algorithm_unsupported' }),
      );
    expect(() => keyAlgorithmOf(Buffer.from('no key'))).toThrow(
      expect.objectContaining({ code: 'public_key_malformed' }),
    );
  });
});

describe('ecdsaSignatureDer', () => {
  it('turns r ‖ s into what openssl produces itself', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    for (let round = 0; round < 50; round++) {
      const fixed = sign('sha384', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      const signature = ecdsaSignatureDer(fixed);
      expect(verifyWithPublicKey({ algorithm: 'P-384', publicKey: spki, message, signature })).toBe(
        true,
      );
    }
  });

  it('drops leading zeros and keeps the numbers positive', () => {
    const der = ecdsaSignatureDer(Uint8Array.of(0, 0, 1, 0, 0x80, 0));
    expect(Buffer.from(der).toString('hex')).toBe('3008' + '020101' + '0203008000');
    expect(() => ecdsaSignatureDer(Uint8Array.of(1, 2, 3))).toThrow(PkiError);
    expect(() => ecdsaSignatureDer(new Uint8Array())).toThrow(PkiError);
  });
});
