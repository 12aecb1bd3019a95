import { derNull, objectIdentifier, sequence } from './der.ts';
import { PkiError } from './error.ts';

export type KeyAlgorithm = 'RSA-2048' | 'RSA-3072' | 'RSA-4096' | 'P-256' | 'P-384';

/** Digests with which documents are signed, named as node:crypto names them. */
export type SigningDigest = 'sha256' | 'sha384';

/** Everything about an algorithm that any code needs to know. No code branches on the name itself. */
export interface AlgorithmFacts {
  readonly keyAlgorithm: KeyAlgorithm;
  readonly kind: 'rsa' | 'ec';
  /** RSA only. */
  readonly modulusBits?: number;
  /** EC only: the curve's NIST name. */
  readonly namedCurve?: 'P-256' | 'P-384';
  /** EC only: the name that OpenSSL, and so node:crypto, uses. */
  readonly opensslCurve?: 'prime256v1' | 'secp384r1';
  /** EC only: DER OBJECT IDENTIFIER of the curve (RFC 5480 section 2.1.1.1), PKCS#11's CKA_EC_PARAMS. */
  readonly curveOidDer?: Uint8Array;
  readonly digest: SigningDigest;
  readonly digestBytes: number;
  readonly digestOid: string;
  readonly signatureOid: string;
  /** DER AlgorithmIdentifier of the digest; parameters absent (RFC 5754 section 2). */
  readonly digestAlgorithmDer: Uint8Array;
  /** DER AlgorithmIdentifier of the signature in certificates, requests and CMS alike. */
  readonly signatureAlgorithmDer: Uint8Array;
  /** Upper bound of a signature in the form that {@link Signer} returns, in bytes. */
  readonly maxSignatureBytes: number;
}

const digests = {
  sha256: { digest: 'sha256', digestBytes: 32, digestOid: '2.16.840.1.101.3.4.2.1' },
  sha384: { digest: 'sha384', digestBytes: 48, digestOid: '2.16.840.1.101.3.4.2.2' },
} as const;

/** PKCS#1 v1.5 with SHA-256; sha256WithRSAEncryption has NULL parameters (RFC 4055 section 5). */
function rsa(keyAlgorithm: KeyAlgorithm, modulusBits: number): AlgorithmFacts {
  const signatureOid = '1.2.840.113549.1.1.11';
  return Object.freeze({
    keyAlgorithm,
    kind: 'rsa',
    modulusBits,
    ...digests.sha256,
    signatureOid,
    digestAlgorithmDer: sequence(objectIdentifier(digests.sha256.digestOid)),
    signatureAlgorithmDer: sequence(objectIdentifier(signatureOid), derNull),
    maxSignatureBytes: modulusBits / 8,
  });
}

/** ECDSA with the digest of the curve's strength; parameters absent (RFC 5758 section 3.2). */
function ec(
  keyAlgorithm: KeyAlgorithm & ('P-256' | 'P-384'),
  o: {
    opensslCurve: 'prime256v1' | 'secp384r1';
    curveOid: string;
    digest: SigningDigest;
    signatureOid: string;
    maxSignatureBytes: number;
  },
): AlgorithmFacts {
  return Object.freeze({
    keyAlgorithm,
    kind: 'ec',
    namedCurve: keyAlgorithm,
    opensslCurve: o.opensslCurve,
    curveOidDer: objectIdentifier(o.curveOid),
    ...digests[o.digest],
    signatureOid: o.signatureOid,
    digestAlgorithmDer: sequence(objectIdentifier(digests[o.digest].digestOid)),
    signatureAlgorithmDer: sequence(objectIdentifier(o.signatureOid)),
    maxSignatureBytes: o.maxSignatureBytes,
  });
}

export const algorithmFacts: Readonly<Record<KeyAlgorithm, AlgorithmFacts>> = Object.freeze({
  'RSA-2048': rsa('RSA-2048', 2048),
  'RSA-3072': rsa('RSA-3072', 3072),
  'RSA-4096': rsa('RSA-4096', 4096),
  'P-256': ec('P-256', {
    opensslCurve: 'prime256v1',
    curveOid: '1.2.840.10045.3.1.7',
    digest: 'sha256',
    signatureOid: '1.2.840.10045.4.3.2',
    maxSignatureBytes: 72,
  }),
  'P-384': ec('P-384', {
    opensslCurve: 'secp384r1',
    curveOid: '1.3.132.0.34',
    digest: 'sha384',
    signatureOid: '1.2.840.10045.4.3.3',
    maxSignatureBytes: 104,
  }),
});

/** Every supported algorithm, in the order of the table. */
export const keyAlgorithms: readonly KeyAlgorithm[] = Object.freeze(
  Object.values(algorithmFacts).map((facts) => facts.keyAlgorithm),
);

/** @throws PkiError `algorithm_unsupported` for any text that is not one of {@link keyAlgorithms}. */
export function parseKeyAlgorithm(text: string): KeyAlgorithm {
  const known = keyAlgorithms.find((name) => name === text);
  if (known === undefined)
    throw new PkiError(
      'algorithm_unsupported',
      `key algorithm must be one of ${keyAlgorithms.join(', ')}`,
    );
  return known;
}
