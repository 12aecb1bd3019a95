import { readCertificateFields, type CertificateFields } from './certificate-fields.ts';
import { isSignedBy } from './issuance.ts';
import { readDer } from './der-reader.ts';
import { derTag } from './der.ts';
import type { ParsedSignedData, SignerIdentifier } from './parse-signed-data.ts';

const subjectKeyIdentifierOid = '2.5.29.14';

function same(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

function isNamedBy(identifier: SignerIdentifier, fields: CertificateFields): boolean {
  if ('issuer' in identifier)
    return (
      same(identifier.serialNumber, fields.serialNumber) && same(identifier.issuer, fields.issuer)
    );
  const extension = fields.extensions.find(({ oid }) => oid === subjectKeyIdentifierOid);
  return (
    extension !== undefined &&
    same(readDer(extension.value, derTag.octetString).contents, identifier.subjectKeyIdentifier)
  );
}

/**
 * The embedded certificate that the SignerInfo names.
 *
 * @throws PkiError `malformed_certificate`.
 */
export function findSigner(parsed: ParsedSignedData): Uint8Array | undefined {
  return parsed.certificates.find((certificate) =>
    isNamedBy(parsed.signerIdentifier, readCertificateFields(certificate)),
  );
}

export interface EmbeddedChain {
  /** The signer's certificate, then its issuer's, and so on as far as embedded. */
  readonly chain: Uint8Array[];
  /** A certificate has embedded issuers by name, but none that has signed it. */
  readonly broken: boolean;
  /** The last one is not self-signed, and no trust anchor has signed it. */
  readonly open: boolean;
  /** Number of embedded certificates outside the chain. */
  readonly unrelated: number;
}

type NamedCertificate = Pick<CertificateFields, 'issuer' | 'subject'> & {
  readonly der: Uint8Array;
};

function named(der: Uint8Array): NamedCertificate {
  return { der, ...readCertificateFields(der) };
}

/**
 * Follows the issuers from `signer`, one of `certificates`, verifying each signature.
 *
 * @throws PkiError `malformed_certificate`.
 */
export function checkEmbeddedChain(
  signer: Uint8Array,
  certificates: readonly Uint8Array[],
  trustAnchors: readonly Uint8Array[],
): EmbeddedChain {
  const embedded = certificates.map(named);
  const chain: Uint8Array[] = [];
  let tip = named(signer);
  for (;;) {
    chain.push(tip.der);
    const { der, issuer } = tip;
    const candidates = embedded.filter(({ subject }) => same(subject, issuer));
    const next = candidates.find((candidate) => isSignedBy(der, candidate.der));
    if (next !== undefined && !chain.includes(next.der)) {
      tip = next;
      continue;
    }
    const last = tip;
    const vouched = next !== undefined || trustAnchors.some((anchor) => isIssuedBy(last, anchor));
    return {
      chain,
      broken: candidates.length > 0 && !vouched,
      open: candidates.length === 0 && !vouched,
      unrelated: certificates.length - chain.length,
    };
  }
}

function isIssuedBy(certificate: NamedCertificate, issuer: Uint8Array): boolean {
  return (
    same(readCertificateFields(issuer).subject, certificate.issuer) &&
    isSignedBy(certificate.der, issuer)
  );
}
