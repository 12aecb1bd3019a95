import { generateKeyPairSync } from 'node:crypto';

import { beforeAll, describe, expect, it } from 'vitest';

import {
  certificationRequest,
  checkCertificateChain,
  encodePem,
  issueCaCertificate,
  issueSigningCertificate,
  parsePem,
  randomSerialNumber,
  softwareSigner,
  type PkiErrorCode,
  type Signer,
} from '../src/index.ts';
import { openssl } from './openssl.ts';

const day = 86_400_000;
const today = Math.floor(Date.now() / 1000) * 1000;
const start = new Date(today - day);
/** Within the validity of what openssl issues while the test runs, too. */
const at = new Date(today + day / 24);
const leafEnd = new Date(today + 1000 * day);
const end = new Date(today + 2000 * day);
const later = new Date(today + 3000 * day);
const validity = { notBefore: start, notAfter: end };

/** A key with its signer and PEM; ECDSA, because it is made in no time. */
function makeKey(): { signer: Signer; pem: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { signer: softwareSigner(privateKey), pem };
}

const rootKey = makeKey();
const middleKey = makeKey();
const leafKey = makeKey();
let root: Uint8Array;
let middle: Uint8Array;
let leaf: Uint8Array;

beforeAll(async () => {
  root = await issueCaCertificate({
    signer: rootKey.signer,
    subject: { commonName: 'Root' },
    validity: { notBefore: start, notAfter: later },
    serialNumber: randomSerialNumber(),
    pathLength: 1,
  });
  middle = await issueMiddle(rootKey.signer, root);
  leaf = await issueSigningCertificate({
    caSigner: middleKey.signer,
    caCertificate: middle,
    subject: { commonName: 'Leaf' },
    subjectPublicKey: leafKey.signer.publicKey,
    profile: {},
    serialNumber: randomSerialNumber(),
    validity: { notBefore: start, notAfter: leafEnd },
  });
});

function issueMiddle(caSigner: Signer, caCertificate: Uint8Array): Promise<Uint8Array> {
  return issueCaCertificate({
    signer: middleKey.signer,
    subject: { commonName: 'Middle' },
    validity,
    serialNumber: randomSerialNumber(),
    issuer: { caSigner, caCertificate },
  });
}

/** A certificate with any extensions at all, from openssl, since ours are always in order. */
async function issueOdd(o: {
  signer: Signer;
  ca: Uint8Array;
  caKeyPem: string;
  extensions: string;
}): Promise<Uint8Array> {
  const request = await certificationRequest({ signer: o.signer, subject: { commonName: 'Odd' } });
  const { output, status } = openssl(
    'x509 -req -in csr -CA ca -CAkey key -set_serial 7 -days 3650 -extfile ext'.split(' '),
    {
      csr: encodePem('CERTIFICATE REQUEST', request),
      ca: encodePem('CERTIFICATE', o.ca),
      key: o.caKeyPem,
      ext: o.extensions,
    },
  );
  expect(status).toBe(0);
  const [certificate] = parsePem('CERTIFICATE', output.slice(output.indexOf('-----BEGIN')));
  return certificate!;
}

const check = (
  chain: readonly Uint8Array[],
  o: { publicKey?: Uint8Array; at?: Date; trustAnchors?: readonly Uint8Array[] } = {},
): ReturnType<typeof checkCertificateChain> =>
  checkCertificateChain({ chain, publicKey: leafKey.signer.publicKey, at, ...o });

const refusal = (code: PkiErrorCode, certificateIndex?: number): unknown =>
  expect.objectContaining({
    code,
    details:
      certificateIndex === undefined
        ? {}
        : (expect.objectContaining({ certificateIndex }) as unknown),
  });

describe('a good chain', () => {
  it('is accepted with its root', () => {
    const facts = check([leaf, middle, root]);
    expect(facts).toMatchObject({ algorithm: 'P-256', leaf: { subject: 'CN=Leaf' } });
    expect(facts.certificates.map(({ subject }) => subject)).toEqual([
      'CN=Leaf',
      'CN=Middle',
      'CN=Root',
    ]);
    const files = {
      leaf: encodePem('CERTIFICATE', leaf),
      middle: encodePem('CERTIFICATE', middle),
      root: encodePem('CERTIFICATE', root),
    };
    const seconds = String(at.getTime() / 1000);
    const args = ['verify', '-x509_strict', '-attime', seconds, '-CAfile', 'root'];
    expect(openssl([...args, '-untrusted', 'middle', 'leaf'], files).output).toBe('leaf: OK\n');
  });

  it('is completed by the trust anchor that has issued its last certificate', () => {
    const facts = check([leaf, middle], { trustAnchors: [leaf, root] });
    expect(facts.completeChain).toEqual([leaf, middle, root]);
    expect(check([leaf, middle, root], { trustAnchors: [root] }).completeChain).toHaveLength(3);
  });

  it('may have a leaf for nothing but document signing', async () => {
    const { signer } = makeKey();
    const odd = await issueOdd({
      signer,
      ca: root,
      caKeyPem: rootKey.pem,
      extensions: 'extendedKeyUsage=1.3.6.1.5.5.7.3.36\nkeyUsage=critical,nonRepudiation',
    });
    const facts = check([odd, root], { publicKey: signer.publicKey });
    expect(facts.leaf.extendedKeyUsage).toEqual(['1.3.6.1.5.5.7.3.36']);
  });
});

describe('a bad chain', () => {
  it('is refused for what is missing or in the wrong order', () => {
    expect(() => check([])).toThrow(refusal('chain_empty'));
    expect(() => check([leaf])).toThrow(refusal('chain_incomplete', 0));
    expect(() => check([leaf, middle])).toThrow(refusal('chain_incomplete', 1));
    expect(() => check([leaf, root])).toThrow(refusal('chain_incomplete', 0));
    expect(() => check([leaf, root, middle])).toThrow(refusal('chain_incomplete', 2));
    expect(() => check([middle, leaf, root])).toThrow(refusal('certificate_key_mismatch', 0));
    const long = [leaf, ...Array.from({ length: 10 }, () => middle)];
    expect(() => check(long)).toThrow(refusal('chain_too_long'));
  });

  it('is refused for another key', () => {
    const { publicKey } = makeKey().signer;
    expect(() => check([leaf, middle, root], { publicKey })).toThrow(
      refusal('certificate_key_mismatch', 0),
    );
  });

  it('is refused outside the validity of any of its certificates', () => {
    const chain = [leaf, middle, root];
    const early = new Date(start.getTime() - 1000);
    expect(() => check(chain, { at: early })).toThrow(refusal('certificate_not_yet_valid', 0));
    expect(() => check(chain, { at: end })).toThrow(refusal('certificate_expired', 0));
    expect(() => check(chain, { at: later })).toThrow(refusal('certificate_expired', 0));
    const alone = { publicKey: middleKey.signer.publicKey, at: later };
    expect(() => check([middle, root], alone)).toThrow(refusal('certificate_expired', 0));
  });

  it('is refused for a root that is not trusted, or a namesake of the real issuer', async () => {
    const impostorKey = makeKey().signer;
    const impostor = await issueCaCertificate({
      signer: impostorKey,
      subject: { commonName: 'Root' },
      validity: { notBefore: start, notAfter: later },
      serialNumber: randomSerialNumber(),
      pathLength: 1,
    });
    const chain = [leaf, middle, root];
    expect(() => check(chain, { trustAnchors: [] })).toThrow(refusal('root_untrusted', 2));
    expect(() => check(chain, { trustAnchors: [impostor] })).toThrow(refusal('root_untrusted', 2));
    expect(() => check([leaf, middle, impostor])).toThrow(refusal('chain_signature_invalid', 1));
    expect(() => check([leaf, middle], { trustAnchors: [impostor] })).toThrow(
      refusal('chain_signature_invalid', 1),
    );
    const otherMiddle = await issueMiddle(impostorKey, impostor);
    expect(() => check([leaf, otherMiddle, root])).toThrow(refusal('chain_signature_invalid', 1));
  });

  it('is refused for damage, naming the certificate', () => {
    for (const [index, der] of [leaf, middle, root].entries()) {
      const damaged = new Uint8Array(der);
      damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
      const chain = [leaf, middle, root].with(index, damaged);
      expect(() => check(chain)).toThrow(refusal('chain_signature_invalid', index));
      const cut = [leaf, middle, root].with(index, der.subarray(1));
      expect(() => check(cut)).toThrow(refusal('malformed_certificate', index));
    }
  });
});

describe('a chain with a certificate that may not do what it does', () => {
  it.each<[string, string, PkiErrorCode]>([
    ['encipherment only', 'keyUsage=keyEncipherment', 'certificate_usage'],
    ['a web server', 'extendedKeyUsage=serverAuth', 'certificate_usage'],
    ['a CA', 'basicConstraints=critical,CA:TRUE', 'certificate_usage'],
    [
      'an unknown critical extension',
      '1.3.6.1.4.1.99999.9=critical,DER:0500',
      'certificate_extension_unsupported',
    ],
  ])('is refused with a leaf for %s', async (_, extensions, code) => {
    const order = { signer: leafKey.signer, ca: root, caKeyPem: rootKey.pem, extensions };
    const chain = [await issueOdd(order), root];
    expect(() => check(chain)).toThrow(refusal(code, 0));
  });

  it.each<[string, string, PkiErrorCode]>([
    ['is no CA', 'basicConstraints=critical,CA:FALSE', 'ca_flag_missing'],
    ['does not say that it is one', 'keyUsage=critical,keyCertSign', 'ca_flag_missing'],
    ['may sign CRLs only', 'basicConstraints=CA:TRUE\nkeyUsage=critical,cRLSign', 'ca_usage'],
    [
      'has name constraints',
      'basicConstraints=CA:TRUE\nnameConstraints=critical,permitted;email:example.org',
      'certificate_extension_unsupported',
    ],
  ])('is refused with an issuer that %s', async (_, extensions, code) => {
    const order = { signer: middleKey.signer, ca: root, caKeyPem: rootKey.pem, extensions };
    const odd = await issueOdd(order);
    const issued = await issueOdd({
      signer: leafKey.signer,
      ca: odd,
      caKeyPem: middleKey.pem,
      extensions: 'keyUsage=digitalSignature',
    });
    expect(() => check([issued, odd, root])).toThrow(refusal(code, 1));
  });

  it('is refused beyond the path length', async () => {
    const deepKey = makeKey();
    const deep = await issueOdd({
      signer: deepKey.signer,
      ca: middle,
      caKeyPem: middleKey.pem,
      extensions: 'basicConstraints=critical,CA:TRUE',
    });
    const issued = await issueOdd({
      signer: leafKey.signer,
      ca: deep,
      caKeyPem: deepKey.pem,
      extensions: 'keyUsage=digitalSignature',
    });
    expect(() => check([issued, deep, middle, root])).toThrow(refusal('path_length_exceeded', 2));
  });
});
