import { beforeAll, describe, expect, it } from 'vitest';

import {
  issueCaCertificate,
  issueSigningCertificate,
  randomSerialNumber,
  type DistinguishedName,
  type PkiErrorCode,
} from '../src/index.ts';
import { testPki, type TestPki } from '../../testing/src/test-pki.ts';

let pki: TestPki;
beforeAll(async () => {
  pki = await testPki();
});

const code = (expected: PkiErrorCode): unknown => expect.objectContaining({ code: expected });

describe('issuing refuses', () => {
  it.each<[string, DistinguishedName]>([
    ['an empty common name', { commonName: '' }],
    ['a blank common name', { commonName: '  ' }],
    ['a common name beyond 64 characters', { commonName: 'x'.repeat(65) }],
    ['a control character', { commonName: 'a\u0000b' }],
    ['a lone surrogate', { commonName: 'a\ud800' }],
    ['a country that is no code', { commonName: 'a', country: 'Sweden' }],
    ['a serial number that is not printable', { commonName: 'a', serialNumber: 'a_b' }],
    ['a mailbox with a display name', { commonName: 'a', email: 'A <a@example.org>' }],
    ['a mailbox beyond ASCII', { commonName: 'a', email: 'å@example.org' }],
  ])('%s', async (_, badSubject) => {
    const { publicKey } = pki.caSigner;
    await expect(pki.issue({ subjectPublicKey: publicKey, subject: badSubject })).rejects.toThrow(
      code('distinguished_name_invalid'),
    );
  });

  it.each([
    ['a policy that is no OID', { policyOids: ['1.3.x'] }],
    ['a policy with a padded arc', { policyOids: ['1.3.06'] }],
    ['a CRL at no URL', { crlUrls: ['crl.example.org'] }],
    ['a CRL in a file', { crlUrls: ['file:///etc/passwd'] }],
  ])('%s', async (_, profile) => {
    const { publicKey } = pki.caSigner;
    await expect(pki.issue({ subjectPublicKey: publicKey, profile })).rejects.toThrow(
      code('profile_invalid'),
    );
  });

  it.each([
    ['zero', new Uint8Array(4)],
    ['nothing', new Uint8Array()],
    ['21 octets', new Uint8Array(21).fill(1)],
    ['20 octets that need a sign octet', new Uint8Array(20).fill(0x80)],
  ])('the serial number %s', async (_, serialNumber) => {
    const order = {
      signer: pki.caSigner,
      subject: { commonName: 'CA' },
      validity: pki.validity,
      serialNumber,
    };
    await expect(issueCaCertificate(order)).rejects.toThrow(code('serial_number_invalid'));
  });

  it('a validity out of order, out of range, or beyond that of the CA', async () => {
    const subjectPublicKey = pki.caSigner.publicKey;
    const { notBefore, notAfter } = pki.validity;
    for (const validity of [
      { notBefore: new Date(notAfter.getTime() - 1000), notAfter: new Date(notBefore) },
      { notBefore, notAfter: new Date(notAfter.getTime() + 1000) },
      { notBefore: new Date(notBefore.getTime() - 1000), notAfter },
      { notBefore, notAfter: new Date(Number.NaN) },
      { notBefore: new Date('1949-01-01'), notAfter },
    ])
      await expect(pki.issue({ subjectPublicKey, validity })).rejects.toThrow(
        code('validity_invalid'),
      );
  });

  it('a key that nobody may sign with, and a CA that is none', async () => {
    const { signer, certificate } = await pki.identity('P-256');
    const order: Parameters<typeof issueSigningCertificate>[0] = {
      caSigner: pki.caSigner,
      caCertificate: pki.caCertificate,
      subject: { commonName: 'a' },
      profile: {},
      serialNumber: randomSerialNumber(),
      validity: pki.validity,
      subjectPublicKey: signer.publicKey,
    };
    const refusals: [Partial<typeof order>, PkiErrorCode][] = [
      [{ subjectPublicKey: Buffer.from('no key') }, 'public_key_malformed'],
      [{ caSigner: signer }, 'certificate_key_mismatch'],
      [{ caSigner: signer, caCertificate: certificate }, 'ca_flag_missing'],
      [{ caCertificate: Buffer.from('no certificate') }, 'malformed_certificate'],
      [{ caSigner: { ...pki.caSigner, sign: (message) => signer.sign(message) } }, 'signer_faulty'],
    ];
    for (const [change, expected] of refusals)
      await expect(issueSigningCertificate({ ...order, ...change })).rejects.toThrow(
        code(expected),
      );
  });
});

describe('a random serial number', () => {
  it('is positive, of 16 octets, and never the same', () => {
    const seen = new Set<string>();
    for (let round = 0; round < 1000; round++) {
      const serialNumber = randomSerialNumber();
      expect(serialNumber).toHaveLength(16);
      expect((serialNumber[0] ?? 0) >> 6).toBe(1);
      seen.add(Buffer.from(serialNumber).toString('hex'));
    }
    expect(seen.size).toBe(1000);
  });
});
