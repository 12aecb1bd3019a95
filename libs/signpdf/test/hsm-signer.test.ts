import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import {
  openProvisioningToken,
  openSigningToken,
  type ProvisioningToken,
  type SigningToken,
  type WrappedKeyRecord,
} from '@signfleet/hsm';
import {
  issueSigningCertificate,
  keyAlgorithms,
  randomSerialNumber,
  signedDataSizeLimit,
  type KeyAlgorithm,
} from '@signfleet/pki';
import { localHsm, type LocalHsm } from '@signfleet/testing';
import { plainAddPlaceholder } from '@signpdf/placeholder-plain';
import { SignPdf } from '@signpdf/signpdf';
import { SUBFILTER_ETSI_CADES_DETACHED } from '@signpdf/utils';
import forge from 'node-forge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hsmSigner } from '../src/index.ts';
import { minimalPdf } from './minimal-pdf.ts';

const run = promisify(execFile);
const day = 86_400_000;

interface User {
  readonly record: WrappedKeyRecord;
  readonly certificateChain: readonly Uint8Array[];
}

describe('the HSM signer of @signpdf', () => {
  let hsm: LocalHsm;
  let signingToken: SigningToken;
  let provisioning: ProvisioningToken;
  let directory: string;

  beforeAll(async () => {
    hsm = await localHsm();
    const { modulePath, enrolmentPublicKey } = hsm;
    signingToken = await openSigningToken({
      ...hsm.signing,
      modulePath,
      sessions: 1,
      enrolmentPublicKey,
    });
    provisioning = await openProvisioningToken({ ...hsm.provisioning, modulePath, sessions: 1 });
    directory = await mkdtemp(join(tmpdir(), 'signfleet-signpdf-'));
  });

  afterAll(async () => {
    await signingToken.close();
    await provisioning.close();
    await hsm.close();
    await rm(directory, { recursive: true, force: true });
  });

  const enrol = async (algorithm: KeyAlgorithm): Promise<User> => {
    const { record } = await provisioning.generateWrappedKey(
      { owner: { tenantId: 't', userId: 'u', keyId: algorithm }, algorithm },
      () => Promise.resolve(),
    );
    const certificate = await issueSigningCertificate({
      caSigner: provisioning.caSigner,
      caCertificate: hsm.caCertificate,
      subject: { commonName: `User of ${algorithm}` },
      subjectPublicKey: record.publicKey,
      profile: {},
      serialNumber: randomSerialNumber(),
      validity: {
        notBefore: new Date(Date.now() - day / 2),
        notAfter: new Date(Date.now() + day),
      },
    });
    return { record, certificateChain: [certificate, hsm.caCertificate] };
  };

  const sign = ({ record, certificateChain }: User): Promise<Buffer> => {
    const { algorithm } = record;
    const prepared = plainAddPlaceholder({
      pdfBuffer: minimalPdf(),
      reason: 'test',
      contactInfo: '',
      name: 'User',
      location: '',
      signatureLength: signedDataSizeLimit({ certificateChain, algorithm }),
      subFilter: SUBFILTER_ETSI_CADES_DETACHED,
    });
    return new SignPdf().sign(prepared, hsmSigner({ signingToken, record, certificateChain }));
  };

  // Not @signpdf's extractSignature, which takes a signature's own last zero bytes for padding.
  const extract = (pdf: Buffer): { readonly cms: Buffer; readonly signed: Buffer } => {
    const range = /\/ByteRange \[0 (\d+) (\d+) (\d+)\]/.exec(pdf.toString('latin1'));
    const [before, after, rest] = range!.slice(1).map(Number) as [number, number, number];
    const contents = Buffer.from(pdf.toString('latin1', before + 1, after - 1), 'hex');
    expect(contents.subarray(0, 2).toString('hex')).toBe('3082');
    return {
      cms: contents.subarray(0, 4 + contents.readUInt16BE(2)),
      signed: Buffer.concat([pdf.subarray(0, before), pdf.subarray(after, after + rest)]),
    };
  };

  const opensslVerifies = async (name: string, cms: Buffer, content: Buffer): Promise<string> => {
    const cmsFile = join(directory, `${name}.p7s`);
    const contentFile = join(directory, `${name}.content`);
    await writeFile(cmsFile, cms);
    await writeFile(contentFile, content);
    const files = ['-in', cmsFile, '-content', contentFile, '-CAfile', hsm.caCertificateFile];
    const options = ['-inform', 'DER', '-binary', '-purpose', 'any', '-out', '/dev/null'];
    const { stderr } = await run('openssl', ['cms', '-verify', ...options, ...files]);
    return stderr;
  };

  it.each(keyAlgorithms)('signs with a %s key as pdfsig and openssl accept', async (algorithm) => {
    const signed = await sign(await enrol(algorithm));
    const file = join(directory, `${algorithm}.pdf`);
    await writeFile(file, signed);
    const { stdout } = await run('pdfsig', ['-nocert', file]);
    expect(stdout).toContain('Signature Validation: Signature is Valid.');
    expect(stdout).toContain('Total document signed');
    expect(stdout).toContain('ETSI.CAdES.detached');
    const { cms, signed: content } = extract(signed);
    expect(await opensslVerifies(algorithm, cms, content)).toContain('CMS Verification successful');
  });

  it('is refused by openssl once the document is changed', async () => {
    const { cms, signed } = extract(await sign(await enrol('P-256')));
    const changed = Buffer.from(signed);
    changed[changed.indexOf('Signed with')]! ^= 1;
    await expect(opensslVerifies('changed', cms, changed)).rejects.toThrow(/verif/i);
  });

  it('makes an RSA signature that node-forge verifies', async () => {
    const { cms, signed } = extract(await sign(await enrol('RSA-2048')));
    const info = forge.asn1.fromDer(cms.toString('latin1'));
    const der = forge.asn1;
    const signedDataFields = ((info.value[1] as forge.asn1.Asn1).value[0] as forge.asn1.Asn1)
      .value as forge.asn1.Asn1[];
    const [signerInfo] = signedDataFields.at(-1)!.value as forge.asn1.Asn1[];
    const fields = signerInfo!.value as forge.asn1.Asn1[];
    const attributes = fields.find(({ tagClass }) => tagClass === der.Class.CONTEXT_SPECIFIC)!;
    const set = der.create(der.Class.UNIVERSAL, der.Type.SET, true, attributes.value);
    const attributesDer = der.toDer(set).getBytes();
    const leaf = (
      signedDataFields.find(({ tagClass }) => tagClass === der.Class.CONTEXT_SPECIFIC)!
        .value as forge.asn1.Asn1[]
    ).find((candidate) => der.toDer(candidate).getBytes().includes('User of RSA-2048'))!;
    // Not certificateFromAsn1, which rejects the CA's ECDSA signature algorithm.
    const [tbs] = leaf.value as forge.asn1.Asn1[];
    const spki = (tbs!.value as forge.asn1.Asn1[])[6]!;
    const publicKey = forge.pki.publicKeyFromAsn1(spki);
    const digest = forge.md.sha256.create().update(attributesDer);
    const signature = fields.at(-1)!.value as string;
    expect(publicKey.verify(digest.digest().getBytes(), signature)).toBe(true);
    const documentDigest = forge.md.sha256.create().update(signed.toString('latin1'));
    expect(attributesDer).toContain(documentDigest.digest().getBytes());
  });

  it('refuses a certificate of another key', async () => {
    const [one, other] = [await enrol('P-256'), await enrol('P-256')];
    expect(() => hsmSigner({ signingToken, ...one, record: other.record })).toThrow(
      expect.objectContaining({ code: 'certificate_key_mismatch' }),
    );
    expect(() => hsmSigner({ signingToken, record: one.record, certificateChain: [] })).toThrow(
      expect.objectContaining({ code: 'chain_empty' }),
    );
  });

  it('signs nothing with a record that was tampered with', async () => {
    const user = await enrol('P-256');
    const record = { ...user.record, userId: 'somebody else' };
    await expect(sign({ ...user, record })).rejects.toMatchObject({ code: 'binding_mismatch' });
  });
});
