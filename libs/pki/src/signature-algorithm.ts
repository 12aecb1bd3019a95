import { DerReader, readDer } from './der-reader.ts';
import { derNull, derTag } from './der.ts';
import { PkiError } from './error.ts';
import type { ParsedSignedData } from './parse-signed-data.ts';

/** Digests that signatures of others are verified with, named as node:crypto names them. */
export type VerifiedDigest = 'sha256' | 'sha384' | 'sha512';

const digestByOid: Readonly<Record<string, VerifiedDigest>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

interface SignatureScheme {
  readonly keyType: 'rsa' | 'ec';
  /** Undefined for rsaEncryption, which leaves the digest to the SignerInfo (RFC 5754 section 3.2). */
  readonly digest: VerifiedDigest | undefined;
}

const schemeByOid: Readonly<Record<string, SignatureScheme>> = {
  '1.2.840.113549.1.1.1': { keyType: 'rsa', digest: undefined },
  '1.2.840.113549.1.1.11': { keyType: 'rsa', digest: 'sha256' },
  '1.2.840.113549.1.1.12': { keyType: 'rsa', digest: 'sha384' },
  '1.2.840.113549.1.1.13': { keyType: 'rsa', digest: 'sha512' },
  '1.2.840.10045.4.3.2': { keyType: 'ec', digest: 'sha256' },
  '1.2.840.10045.4.3.3': { keyType: 'ec', digest: 'sha384' },
  '1.2.840.10045.4.3.4': { keyType: 'ec', digest: 'sha512' },
};

/** Whether a DER AlgorithmIdentifier's parameters are absent or NULL. */
export function hasNoParameters(algorithm: Uint8Array): boolean {
  const fields = new DerReader(readDer(algorithm, derTag.sequence).contents);
  fields.next(derTag.objectIdentifier);
  const [parameters, ...more] = fields.rest();
  if (parameters === undefined) return true;
  return more.length === 0 && Buffer.compare(parameters.bytes, derNull) === 0;
}

/** @throws PkiError `algorithm_unsupported`. */
export function findDigest(oid: string): VerifiedDigest {
  const digest = digestByOid[oid];
  if (digest === undefined)
    throw new PkiError('algorithm_unsupported', 'the digest is not one that we verify', {
      details: { oid },
    });
  return digest;
}

/** How a SignerInfo was signed. */
export interface SignatureAlgorithm {
  readonly keyType: 'rsa' | 'ec';
  readonly digest: VerifiedDigest;
  /** Whether the signature's identifier names its digest, which nothing else in the CMS binds. */
  readonly namesDigest: boolean;
}

/**
 * @throws PkiError `algorithm_unsupported`, also where the signature names another digest than the
 * SignerInfo does.
 */
export function findSignatureAlgorithm(parsed: ParsedSignedData): SignatureAlgorithm {
  const digest = findDigest(parsed.digestOid);
  const scheme = schemeByOid[parsed.signatureOid];
  const agree = scheme?.digest === undefined || scheme.digest === digest;
  if (scheme === undefined || !agree || !hasNoParameters(parsed.signatureAlgorithmDer))
    throw new PkiError('algorithm_unsupported', 'the signature algorithm is not one we verify', {
      details: { oid: parsed.signatureOid },
    });
  return { keyType: scheme.keyType, digest, namesDigest: scheme.digest !== undefined };
}
