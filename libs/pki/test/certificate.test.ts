import { createPublicKey, X509Certificate } from 'node:crypto';

import forge from 'node-forge';
import * as pkijs from 'pkijs';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  certificationRequest,
  encodePem,
  issueCaCertificate,
  issueSigningCertificate,
  keyAlgorithms,
  parseCertificate,
  PkiError,
  softwareSigner,
  type DistinguishedName,
} from '../src/index.ts';
import { assertDer } from '../src/der-reader.ts';
import { testPki, testPrivateKey, type TestPki } from '../../testing/src/test-pki.ts';
import { openssl } from './openssl.ts';
import { seededRandom } from './random.ts';

const subject: DistinguishedName = {
  commonName: 'Åsa "Ö" Łukasz, 株式会社 <x>+#',
  organization: 'Example; Org\\anisation',
  country: 'SE',
  serialNumber: 'PNOSE-12345',
  email: 'asa@example.org',
};

let pki: TestPki;
beforeAll(async () => {
  pki = await testPki();
});

describe.each(keyAlgorithms)('the certificate of an %s key', (algorithm) => {
  it('is what openssl, under its strict rules, accepts and prints', async () => {
    const certificate = await pki.issue({
      subjectPublicKey: softwareSigner(await testPrivateKey(algorithm)).publicKey,
      subject,
      profile: {
        crlUrls: ['http://crl.example.org/a.crl', 'ldap://ldap.example.org/cn=ca?crl'],
        policyOids: ['1.3.6.1.4.1.99999.1.2'],
      },
    });
    const files = {
      'leaf.pem': encodePem('CERTIFICATE', certificate),
      'ca.pem': encodePem('CERTIFICATE', pki.caCertificate),
    };
    const verified = openssl(
      ['verify', '-x509_strict', '-policy_check', '-CAfile', 'ca.pem', 'leaf.pem'],
      files,
    );
    expect(verified.output).toBe('leaf.pem: OK\n');
    const text = openssl(
      'x509 -in leaf.pem -noout -text -nameopt utf8,sep_comma_plus'.split(' '),
      files,
    ).output;
    expect(text).toMatch(/Version: 3/);
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature, Non Repudiation\n/);
    expect(text).toMatch(/X509v3 Subject Key Identifier: *\n\s+(?:[0-9A-F]{2}:){19}[0-9A-F]{2}\n/);
    expect(text).toContain('Policy: 1.3.6.1.4.1.99999.1.2');
    expect(text).toContain('URI:http://crl.example.org/a.crl');
    expect(text).toContain('URI:ldap://ldap.example.org/cn=ca?crl');
    expect(text).toContain('email:asa@example.org');
    expect(text).toContain('株式会社');
    const ids = [...text.matchAll(/Key Identifier: *\n\s+(\S+)/g)].map(([, id]) => id);
    const caText = openssl('x509 -in ca.pem -noout -text'.split(' '), files).output;
    expect(caText).toContain(ids[1]);
    expect(caText).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(caText).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign/);
    assertDer(certificate);
  });

  it('has a request that openssl verifies', async () => {
    const signer = softwareSigner(await testPrivateKey(algorithm));
    const request = await certificationRequest({ signer, subject });
    const { output, status } = openssl(
      'req -in request.pem -verify -noout -text -nameopt utf8'.split(' '),
      { 'request.pem': encodePem('CERTIFICATE REQUEST', request) },
    );
    expect(output).toContain('self-signature verify OK');
    expect(output).toMatch(/Key Usage: critical\s+Digital Signature, Non Repudiation/);
    expect(output).toContain('email:asa@example.org');
    expect(output).toContain('Åsa');
    expect(status).toBe(0);
    const parsed = pkijs.CertificationRequest.fromBER(new Uint8Array(request).buffer);
    const key = new Uint8Array(parsed.subjectPublicKeyInfo.toSchema().toBER());
    expect(key).toEqual(signer.publicKey);
  });
});

describe('an issued certificate', () => {
  it('is read back as it was ordered', async () => {
    const { publicKey } = softwareSigner(await testPrivateKey('P-256'));
    const serialNumber = Uint8Array.of(0x80, 1, 2);
    const validity = {
      notBefore: new Date('2049-12-31T23:59:59Z'),
      notAfter: new Date('2050-01-01T00:00:00Z'),
    };
    const caSigner = softwareSigner(await testPrivateKey('P-384'));
    const caCertificate = await issueCaCertificate({
      signer: caSigner,
      subject: { commonName: 'CA', country: 'DE' },
      validity,
      serialNumber,
    });
    const order = { caSigner, caCertificate, serialNumber, validity, profile: {} };
    const leaf = await issueSigningCertificate({ ...order, subject, subjectPublicKey: publicKey });
    const facts = parseCertificate(leaf);
    expect(facts).toMatchObject({
      subject:
        'serialNumber=PNOSE-12345,CN=Åsa \\"Ö\\" Łukasz\\, 株式会社 \\<x\\>\\+#,O=Example\\; Org\\\\anisation,C=SE',
      issuer: 'CN=CA,C=DE',
      commonName: subject.commonName,
      serialNumberHex: '800102',
      ...validity,
      publicKey,
      isCa: false,
      keyUsage: ['digitalSignature', 'nonRepudiation'],
      extendedKeyUsage: undefined,
      criticalExtensions: ['2.5.29.19', '2.5.29.15'],
    });
    expect(parseCertificate(caCertificate)).toMatchObject({
      isCa: true,
      pathLength: 0,
      keyUsage: ['crlSign', 'keyCertSign'],
      subject: 'CN=CA,C=DE',
    });
    const theirs = new X509Certificate(leaf);
    expect(theirs.serialNumber).toBe('800102');
    expect(theirs.publicKey.equals(createPublicKey(await testPrivateKey('P-256')))).toBe(true);
    const bytes = Buffer.from(leaf).toString('latin1');
    expect(bytes).toContain('\x17\r491231235959Z');
    expect(bytes).toContain('\x18\x0f20500101000000Z');
  });

  it('is read by node-forge, which verifies it with its own arithmetic', async () => {
    const rsaPki = await testPki({ caAlgorithm: 'RSA-2048' });
    const { certificate } = await rsaPki.identity('RSA-2048');
    const read = (der: Uint8Array): forge.pki.Certificate =>
      forge.pki.certificateFromAsn1(forge.asn1.fromDer(Buffer.from(der).toString('latin1')));
    const leaf = read(certificate);
    const ca = read(rsaPki.caCertificate);
    expect(ca.verify(leaf)).toBe(true);
    expect(ca.verify(ca)).toBe(true);
    expect(leaf.isIssuer(ca)).toBe(true);
    expect(leaf.getExtension('keyUsage')).toMatchObject({
      critical: true,
      digitalSignature: true,
      nonRepudiation: true,
      keyEncipherment: false,
      keyCertSign: false,
    });
    expect(leaf.getExtension('basicConstraints')).toMatchObject({ critical: true, cA: false });
    expect(ca.getExtension('basicConstraints')).toMatchObject({ critical: true, cA: true });
  });
});

describe('parseCertificate', () => {
  it('throws nothing but malformed_certificate for a damaged one', async () => {
    const { certificate } = await pki.identity('RSA-2048');
    const random = seededRandom(3);
    let refused = 0;
    for (let round = 0; round < 1000; round++) {
      const damaged = new Uint8Array(certificate);
      for (let spot = 0; spot <= round % 4; spot++)
        damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
      try {
        parseCertificate(round % 3 === 0 ? damaged.subarray(0, round) : damaged);
      } catch (error) {
        refused++;
        expect(error).toBeInstanceOf(PkiError);
        expect(error).toMatchObject({ code: 'malformed_certificate' });
      }
    }
    expect(refused).toBeGreaterThan(300);
  });

  it('refuses what follows a certificate', async () => {
    const { certificate } = await pki.identity('P-256');
    expect(() => parseCertificate(Buffer.concat([certificate, Buffer.of(0)]))).toThrow(
      expect.objectContaining({ code: 'malformed_certificate' }),
    );
  });
});
