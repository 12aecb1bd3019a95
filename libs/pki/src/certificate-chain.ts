import type { KeyAlgorithm } from './algorithm.ts';
import { parseCertificate, type CertificateFacts } from './certificate.ts';
import { assertCertificateUsage } from './certificate-usage.ts';
import { PkiError, type PkiErrorCode } from './error.ts';
import { isSignedBy } from './issuance.ts';
import { keyAlgorithmOf } from './public-key.ts';

/** A chain that was found good. */
export interface ChainFacts {
  readonly algorithm: KeyAlgorithm;
  readonly leaf: CertificateFacts;
  /** Leaf first, the root last. */
  readonly certificates: readonly CertificateFacts[];
  /** DER, leaf first, with the root even if only a trust anchor supplied it. */
  readonly completeChain: readonly Uint8Array[];
}

/** Longer chains than any real one are refused before they cost time. */
const maxCertificates = 10;

interface Link {
  readonly der: Uint8Array;
  readonly facts: CertificateFacts;
}

function refuse(code: PkiErrorCode, certificateIndex: number, cause?: unknown): never {
  throw new PkiError(code, `certificate ${certificateIndex} of the chain: ${code}`, {
    cause,
    details: { certificateIndex },
  });
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

function parseLink(der: Uint8Array, index: number): Link {
  try {
    return { der, facts: parseCertificate(der) };
  } catch (cause) {
    return refuse('malformed_certificate', index, cause);
  }
}

function checkIssued(child: Link, issuer: Link, index: number): void {
  if (!same(child.facts.issuerDer, issuer.facts.subjectDer)) refuse('chain_incomplete', index);
  if (!isSignedBy(child.der, issuer.der)) refuse('chain_signature_invalid', index);
}

/** The chain as given, and the trust anchor that has issued its last one if that is no root. */
function complete(given: readonly Link[], trustAnchors: readonly Uint8Array[] | undefined): Link[] {
  const lastIndex = given.length - 1;
  const last = given[lastIndex];
  if (last === undefined) throw new PkiError('chain_empty', 'the chain has no certificate');
  if (same(last.facts.issuerDer, last.facts.subjectDer)) {
    const trusted = trustAnchors?.some((anchor) => same(anchor, last.der)) ?? true;
    return trusted ? [...given] : refuse('root_untrusted', lastIndex);
  }
  const issuers = (trustAnchors ?? [])
    .map((der) => parseLink(der, given.length))
    .filter(({ facts }) => same(facts.subjectDer, last.facts.issuerDer));
  if (issuers.length === 0) refuse('chain_incomplete', lastIndex);
  const anchor = issuers.find(({ der }) => isSignedBy(last.der, der));
  return anchor === undefined ? refuse('chain_signature_invalid', lastIndex) : [...given, anchor];
}

function checkLinks(links: readonly Link[], at: Date): void {
  links.forEach((link, index) => {
    if (at < link.facts.notBefore) refuse('certificate_not_yet_valid', index);
    if (at > link.facts.notAfter) refuse('certificate_expired', index);
    assertCertificateUsage(link.facts, index);
    const issuer = links[index + 1];
    const isRoot = issuer === undefined && same(link.facts.issuerDer, link.facts.subjectDer);
    if (issuer !== undefined) checkIssued(link, issuer, index);
    else if (isRoot) checkIssued(link, link, index);
  });
}

/**
 * Checks that a chain may be put into signatures made by the key `publicKey` (RFC 5280 section 6.1
 * without revocation and name constraints): it is the leaf's key, each certificate is signed by the
 * next, up to a self-signed root that is in the chain or among `trustAnchors`; all are within their
 * validity at `at`; issuers are CAs, and the leaf may sign documents. With `trustAnchors` given, the
 * chain has to end in one of them.
 *
 * @throws PkiError with `details.certificateIndex` where one certificate is at fault:
 * `chain_empty`, `chain_too_long`, `malformed_certificate`, `certificate_key_mismatch`,
 * `algorithm_unsupported`, `chain_incomplete`, `chain_signature_invalid`, `root_untrusted`,
 * `certificate_expired`, `certificate_not_yet_valid`, `certificate_usage`, `ca_flag_missing`,
 * `ca_usage`, `path_length_exceeded`, `certificate_extension_unsupported`.
 */
export function checkCertificateChain(o: {
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly at: Date;
  /** DER certificates. */
  readonly trustAnchors?: readonly Uint8Array[];
}): ChainFacts {
  if (o.chain.length > maxCertificates)
    throw new PkiError('chain_too_long', `a chain has at most ${maxCertificates} certificates`);
  const given = o.chain.map(parseLink);
  const leaf = given[0]?.facts;
  if (leaf === undefined) throw new PkiError('chain_empty', 'the chain has no certificate');
  if (!same(leaf.publicKey, o.publicKey)) refuse('certificate_key_mismatch', 0);
  const algorithm = keyAlgorithmOf(leaf.publicKey);
  const links = complete(given, o.trustAnchors);
  checkLinks(links, o.at);
  return {
    algorithm,
    leaf,
    certificates: links.map(({ facts }) => facts),
    completeChain: links.map(({ der }) => der),
  };
}
