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

/** A key with a certificate issued by a root, all made by the openssl program. */
export interface TestIdentity {
  readonly signer: Signer;
  /** DER: the signer's certificate, then its root. */
  readonly certificateChain: readonly [Uint8Array, Uint8Array];
  readonly rootPem: string;
}

const keyOptions = {
  'RSA-2048': ['rsa:2048'],
  'P-256': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
} as const;

/** Makes an identity whose certificate may sign documents. */
export function createIdentity(algorithm: keyof typeof keyOptions): TestIdentity {
  return inTemporaryDirectory((directory) => {
    const path = (name: string): string => join(directory, name);
    const request = (name: string, options: readonly string[]): void => {
      const files = ['-keyout', path(`${name}-key.pem`), '-out', path(`${name}.pem`)];
      const common = [
        'req',
        '-x509',
        '-nodes',
        '-days',
        '30',
        ...files,
        '-subj',
        `/CN=Test ${name}`,
      ];
      execFileSync('openssl', [...common, ...options], { stdio: 'ignore' });
    };
    request('root', ['-newkey', 'rsa:2048', '-addext', 'keyUsage=critical,keyCertSign,cRLSign']);
    request('signer', [
      ...['-newkey', ...keyOptions[algorithm]],
      ...['-CA', path('root.pem'), '-CAkey', path('root-key.pem')],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-addext', 'keyUsage=critical,digitalSignature,nonRepudiation'],
    ]);
    const pem = (name: string): string => readFileSync(path(`${name}.pem`), 'utf8');
    return {
      signer: softwareSigner(createPrivateKey(readFileSync(path('signer-key.pem')))),
      certificateChain: [derOf(pem('signer')), derOf(pem('root'))],
      rootPem: pem('root'),
    };
  });
}

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}

/** Signs as the worker does: prepare, digest, sign, seal. */
export async function signPdf(
  source: Uint8Array,
  identity: TestIdentity,
  options: Partial<PrepareOptions> = {},
): Promise<SealedDocument> {
  const { signer, certificateChain } = identity;
  const { algorithm } = signer;
  const prepared = prepareSignature(source, {
    signingTime: new Date('2026-02-03T04:05:06Z'),
    contentsBytes: signedDataSizeLimit({ certificateChain, algorithm }),
    ...options,
  });
  const digested = digestDocument(prepared, algorithmFacts[algorithm].digest);
  const attributes = signedAttributes({
    messageDigest: digested.messageDigest,
    signingCertificate: certificateChain[0],
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
