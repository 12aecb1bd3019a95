import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  algorithmFacts,
  signedAttributes,
  signedData,
  signedDataSizeLimit,
  softwareSigner,
  type Signer,
} from '@signfleet/pki';
import { digestDocument } from '../src/digest.ts';
import { prepareSignature, type PrepareOptions } from '../src/prepare.ts';
import { sealDocument, type SealedDocument } from '../src/seal.ts';

/** A key with a self-signed certificate, made by the openssl program. */
export interface TestIdentity {
  readonly signer: Signer;
  readonly certificate: Uint8Array;
  readonly certificatePem: string;
}

const keyOptions = {
  'RSA-2048': ['rsa:2048'],
  'P-256': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
} as const;

/** Makes an identity whose certificate may sign documents. */
export function createIdentity(algorithm: keyof typeof keyOptions): TestIdentity {
  return inTemporaryDirectory((directory) => {
    const key = join(directory, 'key.pem');
    const certificate = join(directory, 'certificate.pem');
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-nodes', '-newkey', ...keyOptions[algorithm]],
        ...['-keyout', key, '-out', certificate, '-days', '30', '-subj', '/CN=Test signer/C=DE'],
        ...['-addext', 'keyUsage=critical,digitalSignature,nonRepudiation'],
      ],
      { stdio: 'ignore' },
    );
    const certificatePem = readFileSync(certificate, 'utf8');
    const der = Buffer.from(certificatePem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const signer = softwareSigner(createPrivateKey(readFileSync(key)));
    return { signer, certificate: der, certificatePem };
  });
}

/** Signs as the worker does: prepare, digest, sign, seal. */
export async function signPdf(
  source: Uint8Array,
  identity: TestIdentity,
  options: Partial<PrepareOptions> = {},
): Promise<SealedDocument> {
  const { signer, certificate } = identity;
  const { algorithm } = signer;
  const certificateChain = [certificate];
  const prepared = prepareSignature(source, {
    signingTime: new Date('2026-02-03T04:05:06Z'),
    contentsBytes: signedDataSizeLimit({ certificateChain, algorithm }),
    ...options,
  });
  const digested = digestDocument(prepared, algorithmFacts[algorithm].digest);
  const attributes = signedAttributes({
    messageDigest: digested.messageDigest,
    signingCertificate: certificate,
    algorithm,
  });
  const signature = await signer.sign(attributes);
  const cms = signedData({ signedAttributes: attributes, signature, certificateChain, algorithm });
  return sealDocument(digested, cms);
}

/** Lends a directory that is gone afterwards. */
export function inTemporaryDirectory<Result>(use: (directory: string) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), 'signfleet-pdf-'));
  try {
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Writes bytes to a file of the directory, and tells its path. */
export function writeInto(directory: string, name: string, bytes: Uint8Array | string): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}
