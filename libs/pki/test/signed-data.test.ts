import { webcrypto } from 'node:crypto';

import forge from 'node-forge';
import * as pkijs from 'pkijs';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  encodePem,
  keyAlgorithms,
  parseSignedData,
  PkiError,
  signedAttributes,
  signedData,
  signedDataSizeLimit,
} from '../src/index.ts';
import { testPki, type TestIdentity, type TestPki } from '../../testing/src/test-pki.ts';
import { openssl } from './openssl.ts';
import { content, judge, signContent } from './signature.ts';

let pki: TestPki;
beforeAll(async () => {
  pki = await testPki();
});

const arrayBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

describe.each(keyAlgorithms)('a signature with %s', (algorithm) => {
  let identity: TestIdentity;
  let cms: Uint8Array;
  beforeAll(async () => {
    identity = await pki.identity(algorithm);
    cms = await signContent(identity);
  });

  it('is accepted by openssl, which rejects it over other content', () => {
    const files = { cms, content, 'ca.pem': encodePem('CERTIFICATE', pki.caCertificate) };
    const args = 'cms -verify -cades -binary -inform DER -in cms -CAfile ca.pem -content'.split(
      ' ',
    );
    const accepted = openssl([...args, 'content', '-purpose', 'any'], files);
    expect(accepted.output).toContain('Verification successful');
    expect(accepted.status).toBe(0);
    expect(openssl([...args, 'ca.pem', '-purpose', 'any'], files).status).not.toBe(0);
  });

  it('is accepted by pkijs, chain included', async () => {
    pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as never }));
    const contentInfo = pkijs.ContentInfo.fromBER(arrayBuffer(cms));
    const signed = new pkijs.SignedData({ schema: contentInfo.content });
    const anchor = pkijs.Certificate.fromBER(arrayBuffer(pki.caCertificate));
    const verdict = await signed.verify({
      signer: 0,
      data: arrayBuffer(content),
      checkChain: true,
      trustedCerts: [anchor],
      extendedMode: true,
    });
    expect(verdict.signatureVerified).toBe(true);
    expect(verdict.signerCertificateVerified).toBe(true);
  });

  it('is valid to us, and invalid over other content', () => {
    const verdict = judge(cms);
    expect(verdict).toMatchObject({ valid: true, intact: true, findings: [], algorithm });
    expect(verdict.signingCertificate).toEqual(identity.certificate);
    expect(verdict.certificateChain).toEqual(identity.certificateChain);
    const other = judge(cms, { signed: Buffer.from('another document') });
    expect(other).toMatchObject({ valid: false, intact: false });
    expect(other.findings).toEqual(['message_digest_mismatch']);
  });

  it('has exactly the signed attributes of a baseline signature', () => {
    expect(parseSignedData(cms).signedAttributes.types).toEqual([
      '1.2.840.113549.1.9.3',
      '1.2.840.113549.1.9.4',
      '1.2.840.113549.1.9.16.2.47',
    ]);
    expect(parseSignedData(cms).hasUnsignedAttributes).toBe(false);
  });

  it('never exceeds the size limit, which is tight', async () => {
    const limit = signedDataSizeLimit(identity);
    for (let round = 0; round < 10; round++) {
      const { length } = await signContent(identity);
      expect(length).toBeLessThanOrEqual(limit);
      expect(length).toBeGreaterThan(limit - 10);
    }
  });
});

describe('node-forge', () => {
  it('reads an RSA signature and verifies it with its own arithmetic', async () => {
    const identity = await (await testPki({ caAlgorithm: 'RSA-2048' })).identity('RSA-2048');
    const cms = await signContent(identity);
    const parsed = forge.asn1.fromDer(Buffer.from(cms).toString('latin1'));
    const { certificates } = forge.pkcs7.messageFromAsn1(parsed) as forge.pkcs7.PkcsSignedData;
    expect(certificates).toHaveLength(2);
    const leaf = certificates.find(({ subject }) => subject.hash !== certificates[0]?.issuer.hash);
    const { signature, signedAttributes: attributes } = parseSignedData(cms);
    const digest = forge.md.sha256.create();
    digest.update(Buffer.from(attributes.der).toString('latin1'));
    const key = leaf?.publicKey as forge.pki.rsa.PublicKey;
    const octets = Buffer.from(signature).toString('latin1');
    expect(key.verify(digest.digest().bytes(), octets)).toBe(true);
  });
});

describe('building', () => {
  it('refuses a digest of the wrong length and an empty chain', async () => {
    const { certificate } = await pki.identity('P-256');
    const sha384 = new Uint8Array(48);
    expect(() =>
      signedAttributes({
        messageDigest: sha384,
        signingCertificate: certificate,
        algorithm: 'P-256',
      }),
    ).toThrow(expect.objectContaining({ code: 'digest_length_invalid' }));
    expect(() => signedDataSizeLimit({ certificateChain: [], algorithm: 'P-256' })).toThrow(
      expect.objectContaining({ code: 'chain_empty' }),
    );
  });

  it('refuses a chain that does not start with a certificate', () => {
    expect(() =>
      signedData({
        signedAttributes: Uint8Array.of(0x31, 0),
        signature: new Uint8Array(64),
        certificateChain: [Uint8Array.of(0x30, 0)],
        algorithm: 'P-256',
      }),
    ).toThrow(PkiError);
  });
});
