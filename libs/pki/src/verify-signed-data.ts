import { hash, timingSafeEqual, verify } from 'node:crypto';

import type { KeyAlgorithm } from './algorithm.ts';
import { readX509 } from './issuance.ts';
import { checkEmbeddedChain, findSigner } from './embedded-chain.ts';
import { parseSignedData, type ParsedSignedData } from './parse-signed-data.ts';
import { findKeyAlgorithm } from './public-key.ts';
import {
  findDigest,
  findSignatureAlgorithm,
  type SignatureAlgorithm,
  type VerifiedDigest,
} from './signature-algorithm.ts';

/** What can be wrong with a SignedData that could be parsed. */
export type SignedDataFinding =
  /** The content is not what was signed. */
  | 'message_digest_mismatch'
  /** The certificate named as the signer's is not embedded. */
  | 'signing_certificate_missing'
  /** The signature over the signed attributes is not by that certificate's key. */
  | 'signature_invalid'
  /** No signing-certificate-v2, so another certificate of the same key could be slipped in. */
  | 'signing_certificate_unbound'
  /** signing-certificate-v2 is of another certificate. */
  | 'signing_certificate_mismatch'
  /** The signature's algorithm identifier is plain rsaEncryption. */
  | 'signature_algorithm_generic'
  /** An embedded certificate is not signed by the embedded certificate of its issuer. */
  | 'embedded_chain_broken'
  /** The last embedded issuer is neither self-signed nor signed by a trust anchor. */
  | 'embedded_chain_open'
  /** An embedded certificate is not on the path of the signer's. */
  | 'embedded_certificate_unrelated';

export interface SignedDataVerdict {
  /** DER; undefined if it is not embedded. */
  readonly signingCertificate: Uint8Array | undefined;
  /** The signer's certificate and its issuers as far as they are embedded, leaf first, DER. */
  readonly certificateChain: readonly Uint8Array[];
  /** Undefined if the signer's key is of a kind with which we verify but do not sign. */
  readonly algorithm: KeyAlgorithm | undefined;
  readonly digest: VerifiedDigest;
  /** The content and the signed attributes are what that certificate's key has signed. */
  readonly intact: boolean;
  /**
   * Intact, and nothing else was found either: the signature is as this library writes it. Whether
   * the last certificate of the chain is one to trust is for checkCertificateChain to say.
   */
  readonly valid: boolean;
  readonly findings: readonly SignedDataFinding[];
  readonly parsed: ParsedSignedData;
}

/** The findings that leave nothing of a signature. */
const breaking: ReadonlySet<SignedDataFinding> = new Set([
  'message_digest_mismatch',
  'signing_certificate_missing',
  'signature_invalid',
]);

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

function signatureHolds(
  parsed: ParsedSignedData,
  certificate: Uint8Array,
  { keyType, digest }: SignatureAlgorithm,
): boolean {
  const key = readX509(certificate).publicKey;
  if (key.asymmetricKeyType !== keyType) return false;
  const { der } = parsed.signedAttributes;
  return verify(digest, der, { key, dsaEncoding: 'der' }, parsed.signature);
}

function checkSigningCertificate(
  parsed: ParsedSignedData,
  certificate: Uint8Array,
): SignedDataFinding[] {
  const named = parsed.signedAttributes.signingCertificate;
  if (named === undefined) return ['signing_certificate_unbound'];
  const found = hash(findDigest(named.digestOid), certificate, 'buffer');
  return equal(named.hash, found) ? [] : ['signing_certificate_mismatch'];
}

function checkSigner(
  parsed: ParsedSignedData,
  signer: Uint8Array,
  o: { algorithm: SignatureAlgorithm; trustAnchors: readonly Uint8Array[] },
): { findings: SignedDataFinding[]; chain: Uint8Array[] } {
  const findings: SignedDataFinding[] = [];
  if (!signatureHolds(parsed, signer, o.algorithm)) findings.push('signature_invalid');
  findings.push(...checkSigningCertificate(parsed, signer));
  const embedded = checkEmbeddedChain(signer, parsed.certificates, o.trustAnchors);
  if (embedded.broken) findings.push('embedded_chain_broken');
  if (embedded.open) findings.push('embedded_chain_open');
  if (embedded.unrelated > 0) findings.push('embedded_certificate_unrelated');
  return { findings, chain: embedded.chain };
}

/**
 * Verifies a detached SignedData in software (RFC 5652 section 5.6, RFC 5035 section 5).
 * `contentDigest` returns the digest of the signed content; it is asked for once.
 *
 * @throws PkiError `malformed_signed_data`, `malformed_certificate`, `algorithm_unsupported`. What
 * is merely wrong is told by the findings.
 */
export function verifySignedData(o: {
  readonly der: Uint8Array;
  readonly contentDigest: (digest: VerifiedDigest) => Uint8Array;
  /** DER certificates that may stand in for a root that is not embedded. */
  readonly trustAnchors?: readonly Uint8Array[];
}): SignedDataVerdict {
  const parsed = parseSignedData(o.der);
  const algorithm = findSignatureAlgorithm(parsed);
  const signer = findSigner(parsed);
  const findings: SignedDataFinding[] = [];
  if (!equal(parsed.signedAttributes.messageDigest, o.contentDigest(algorithm.digest)))
    findings.push('message_digest_mismatch');
  let chain: Uint8Array[] = [];
  if (signer === undefined) findings.push('signing_certificate_missing');
  else {
    const checked = checkSigner(parsed, signer, {
      algorithm,
      trustAnchors: o.trustAnchors ?? [],
    });
    findings.push(...checked.findings);
    chain = checked.chain;
  }
  if (!algorithm.namesDigest) findings.push('signature_algorithm_generic');
  return {
    signingCertificate: signer,
    certificateChain: chain,
    algorithm: signer === undefined ? undefined : findKeyAlgorithm(readX509(signer).publicKey),
    digest: algorithm.digest,
    intact: !findings.some((finding) => breaking.has(finding)),
    valid: findings.length === 0,
    findings,
    parsed,
  };
}
