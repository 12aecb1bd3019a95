import { beforeAll, describe, expect, it } from 'vitest';

import { encodePem, parsePem, PkiError } from '../src/index.ts';
import { testPki, testPrivateKey, type TestPki } from '../../testing/src/test-pki.ts';

let pki: TestPki;
beforeAll(async () => {
  pki = await testPki();
});

describe('PEM', () => {
  it('round-trips a chain, with text around and either line ending', async () => {
    const { certificateChain } = await pki.identity('P-256');
    const file = certificateChain
      .map((der, index) => `subject=${index}\n${encodePem('CERTIFICATE', der)}`)
      .join('\n# the next one\n');
    expect(parsePem('CERTIFICATE', file)).toEqual(certificateChain);
    expect(parsePem('CERTIFICATE', file.replaceAll('\n', '\r\n'))).toEqual(certificateChain);
  });

  it('has lines of 64 characters', () => {
    const lines = encodePem('CERTIFICATE', pki.caCertificate).split('\n');
    expect(lines[0]).toBe('-----BEGIN CERTIFICATE-----');
    expect(lines.at(-2)).toBe('-----END CERTIFICATE-----');
    expect(lines.at(-1)).toBe('');
    expect(lines.slice(1, -3).every(({ length }) => length === 64)).toBe(true);
  });

  it('refuses a private key, damage, and nothing', async () => {
    const key = (await testPrivateKey('P-256')).export({ type: 'pkcs8', format: 'pem' });
    const good = encodePem('CERTIFICATE', pki.caCertificate);
    for (const text of [
      '',
      'no PEM',
      String(key),
      good + String(key),
      good + good.slice(0, -20),
      good.replace('M', '*'),
      good.replace('\n', '\n='),
      good.replace('END CERTIFICATE', 'END CERTIFICATE REQUEST'),
      '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
    ])
      expect(() => parsePem('CERTIFICATE', text)).toThrow(
        expect.objectContaining({ code: 'malformed_pem' }),
      );
  });

  it('never quotes the file in its error', async () => {
    const key = String((await testPrivateKey('P-256')).export({ type: 'pkcs8', format: 'pem' }));
    const body = key.split('\n')[1]!;
    try {
      parsePem('CERTIFICATE', key);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(PkiError);
      expect(String(error)).not.toContain(body.slice(0, 8));
    }
  });

  it('is linear in a hostile file', () => {
    const hostile = '-----BEGIN CERTIFICATE-----\n'.repeat(20_000) + 'A\n'.repeat(20_000);
    expect(() => parsePem('CERTIFICATE', hostile)).toThrow(PkiError);
  });
});
