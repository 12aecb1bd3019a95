import { beforeAll, describe, expect, it } from 'vitest';

import { encodePem, parseSignedData, PkiError } from '../src/index.ts';
import { cmsOid } from '../src/cms-oid.ts';
import { element, objectIdentifier, octetString, sequence } from '../src/der.ts';
import { testPki, type TestIdentity, type TestPki } from '../../testing/src/test-pki.ts';
import { openssl } from './openssl.ts';
import { seededRandom } from './random.ts';
import { content, judge, signContent } from './signature.ts';

let pki: TestPki;
let ec: TestIdentity;
let rsa: TestIdentity;
beforeAll(async () => {
  pki = await testPki();
  ec = await pki.identity('P-256');
  rsa = await pki.identity('RSA-2048');
});

/** Whether we call it valid; anything thrown has to be a PkiError. */
function isValid(der: Uint8Array): boolean {
  try {
    return judge(der).valid;
  } catch (error) {
    if (error instanceof PkiError) return false;
    throw error;
  }
}

describe('a changed signature', () => {
  /** The places of `cms` at which `change` yields a byte with which it is still called valid. */
  const accepted = (
    cms: Uint8Array,
    change: (original: number, at: number) => Iterable<number>,
  ): string[] => {
    const places: string[] = [];
    cms.forEach((original, at) => {
      for (const value of change(original, at)) {
        const changed = new Uint8Array(cms);
        changed[at] = value;
        if (value !== original && isValid(changed)) places.push(`${at}: ${original} → ${value}`);
      }
    });
    return places;
  };

  it.each(['P-256', 'RSA-2048'] as const)('is never valid (%s)', async (algorithm) => {
    const cms = await signContent(await pki.identity(algorithm));
    expect(isValid(cms)).toBe(true);
    const flip = (original: number, at: number): number[] => [
      original ^ (1 << (at % 8)),
      original ^ 0xff,
    ];
    expect(accepted(cms, flip)).toEqual([]);
  });

  it('is never valid with any value of a byte that the signature does not cover', async () => {
    const every = Array.from({ length: 256 }, (_, value) => value);
    const cms = await signContent(rsa);
    const { signature, signedAttributes } = parseSignedData(cms);
    const elsewhere = [
      ...rsa.certificateChain,
      signature.subarray(4),
      signedAttributes.der.subarray(4),
    ];
    const covered = elsewhere.map((part) => {
      const start = Buffer.from(cms).indexOf(part);
      return { start, end: start + part.length };
    });
    expect(covered.every(({ start }) => start > 0)).toBe(true);
    const change = (_: number, at: number): number[] =>
      covered.some(({ start, end }) => at >= start && at < end) ? [] : every;
    expect(accepted(cms, change)).toEqual([]);
  });

  it('is refused when cut short or lengthened anywhere', async () => {
    const cms = await signContent(ec);
    for (let length = 0; length < cms.length; length++)
      expect(() => parseSignedData(cms.subarray(0, length))).toThrow(PkiError);
    for (const tail of [Uint8Array.of(0), Uint8Array.of(0x30, 0), cms])
      expect(() => parseSignedData(Buffer.concat([cms, tail]))).toThrow(
        expect.objectContaining({ code: 'malformed_signed_data' }),
      );
  });

  it('names what is wrong', async () => {
    const other = await testPki();
    const stranger = await other.identity('P-256');
    const chains: [readonly Uint8Array[], string[]][] = [
      [[ec.certificate], ['embedded_chain_open']],
      [
        [ec.certificate, other.caCertificate],
        ['embedded_chain_open', 'embedded_certificate_unrelated'],
      ],
      [[...ec.certificateChain, stranger.certificate], ['embedded_certificate_unrelated']],
    ];
    for (const [certificateChain, findings] of chains) {
      // The other CA has the name of this one, so its certificate breaks the chain, not opens it.
      const expected = certificateChain.includes(other.caCertificate)
        ? ['embedded_chain_broken', 'embedded_certificate_unrelated']
        : findings;
      const verdict = judge(await signContent({ ...ec, certificateChain }));
      expect(verdict).toMatchObject({ intact: true, valid: false, findings: expected });
    }
    const anchored = judge(await signContent({ ...ec, certificateChain: [ec.certificate] }), {
      trustAnchors: [pki.caCertificate],
    });
    expect(anchored).toMatchObject({ valid: true, findings: [] });
  });

  it('is not valid with a certificate of the same key that the attribute does not name', async () => {
    const renewed = await pki.issue({
      subjectPublicKey: ec.signer.publicKey,
      subject: { commonName: 'Somebody else' },
    });
    const verdict = judge(
      await signContent({ ...ec, certificateChain: [renewed, pki.caCertificate] }),
    );
    expect(verdict).toMatchObject({ intact: true, valid: false });
    expect(verdict.findings).toEqual(['signing_certificate_mismatch']);
  });

  it('is not intact with the signature of another key', async () => {
    const stranger = await (await testPki()).identity('P-384');
    const forged = await signContent({ ...ec, signer: stranger.signer });
    expect(judge(forged).findings).toEqual(['signature_invalid']);
  });
});

describe('signatures made by openssl', () => {
  const sign = (identity: TestIdentity, ...options: string[]): Uint8Array => {
    const files = {
      content,
      'key.pem': identity.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      'leaf.pem': encodePem('CERTIFICATE', identity.certificate),
      'ca.pem': encodePem('CERTIFICATE', pki.caCertificate),
    };
    const args =
      'cms -sign -binary -in content -signer leaf.pem -inkey key.pem -certfile ca.pem -outform PEM -md sha256'.split(
        ' ',
      );
    const { output, status } = openssl([...args, ...options], files);
    expect(status).toBe(0);
    return new Uint8Array(Buffer.from(output.replace(/-----[A-Z ]+-----/g, ''), 'base64'));
  };

  it('are valid if they are CAdES and name their algorithm', () => {
    expect(judge(sign(ec, '-cades'))).toMatchObject({ valid: true, findings: [] });
  });

  it('are intact, with findings, if they are not', () => {
    const plain = judge(sign(ec));
    expect(plain).toMatchObject({ intact: true, findings: ['signing_certificate_unbound'] });
    const generic = judge(sign(rsa, '-cades'));
    expect(generic).toMatchObject({ intact: true, findings: ['signature_algorithm_generic'] });
    const byKeyId = judge(sign(ec, '-cades', '-keyid'));
    expect(byKeyId).toMatchObject({ valid: true, signingCertificate: ec.certificate });
    const bare = judge(sign(ec, '-cades', '-nocerts'));
    expect(bare).toMatchObject({ intact: false, signingCertificate: undefined });
    expect(bare.findings).toEqual(['signing_certificate_missing']);
  });

  it.each([
    ['attached content', '-nodetach'],
    ['no signed attributes', '-noattr'],
    ['indefinite lengths', '-stream', '-nodetach'],
  ])('are refused with %s', (_, ...options) => {
    expect(() => judge(sign(ec, ...options))).toThrow(
      expect.objectContaining({ code: 'malformed_signed_data' }),
    );
  });

  it('are refused with a digest or a signature that we do not verify', () => {
    for (const options of [
      ['-md', 'sha1'],
      ['-keyopt', 'rsa_padding_mode:pss'],
    ])
      expect(() => judge(sign(rsa, ...options))).toThrow(
        expect.objectContaining({ code: 'algorithm_unsupported' }),
      );
  });
});

describe('hostile input', () => {
  const wrap = (contents: Uint8Array): Uint8Array =>
    sequence(objectIdentifier(cmsOid.signedData), element(0xa0, contents));

  it('ends in a PkiError, whatever the shape', () => {
    let deep = sequence();
    for (let depth = 0; depth < 10_000; depth++) deep = sequence(deep);
    const wide = element(
      0x30,
      new Uint8Array(200_000).map((_, at) => (at % 2 === 0 ? 0x04 : 0)),
    );
    const samples = [
      new Uint8Array(),
      new Uint8Array(1_000_000).fill(0x30),
      Buffer.from('a0843fffffff', 'hex'),
      deep,
      wide,
      wrap(deep),
      wrap(wide),
      wrap(sequence()),
      sequence(objectIdentifier(cmsOid.data), element(0xa0, octetString(content))),
    ];
    for (const sample of samples)
      expect(() => judge(sample)).toThrow(
        expect.objectContaining({ name: 'PkiError', code: 'malformed_signed_data' }),
      );
  });

  it('ends in a PkiError or a verdict, for random damage to a real signature', async () => {
    const cms = await signContent(ec);
    const random = seededRandom(11);
    for (let round = 0; round < 1500; round++) {
      const damaged = new Uint8Array(cms);
      const spots = 1 + Math.floor(random() * 8);
      for (let spot = 0; spot < spots; spot++)
        damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
      const from = Math.floor(random() * damaged.length);
      const moved = round % 2 === 0 ? damaged : Buffer.concat([damaged.subarray(from), damaged]);
      if (Buffer.compare(moved, cms) !== 0) expect(isValid(moved)).toBe(false);
    }
  });
});
