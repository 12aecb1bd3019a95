import type { CertificateFacts } from './certificate.ts';
import { PkiError, type PkiErrorCode } from './error.ts';

/** Critical extensions that the checks here or in certificate-chain.ts honour. */
const understood: ReadonlySet<string> = new Set([
  '2.5.29.14', // subjectKeyIdentifier
  '2.5.29.15', // keyUsage
  '2.5.29.17', // subjectAltName
  '2.5.29.19', // basicConstraints
  '2.5.29.31', // cRLDistributionPoints
  '2.5.29.32', // certificatePolicies
  '2.5.29.35', // authorityKeyIdentifier
  '2.5.29.37', // extKeyUsage
]);

/** Purposes that allow signing a document. */
const documentPurposes: ReadonlySet<string> = new Set([
  '2.5.29.37.0', // anyExtendedKeyUsage
  '1.3.6.1.5.5.7.3.36', // id-kp-documentSigning, RFC 9336
  '1.3.6.1.5.5.7.3.4', // id-kp-emailProtection, which Acrobat takes for it
  '1.3.6.1.4.1.311.10.3.12', // Microsoft document signing
  '1.2.840.113583.1.1.5', // Adobe authentic documents trust
]);

function leafFault(facts: CertificateFacts): PkiErrorCode | undefined {
  const { extendedKeyUsage, isCa, keyUsage } = facts;
  const maySign =
    keyUsage === undefined ||
    keyUsage.includes('digitalSignature') ||
    keyUsage.includes('nonRepudiation');
  const forDocuments = extendedKeyUsage?.some((purpose) => documentPurposes.has(purpose)) ?? true;
  return !isCa && maySign && forDocuments ? undefined : 'certificate_usage';
}

/** `index - 1` CAs stand between this one and the leaf. */
function caFault(facts: CertificateFacts, index: number): PkiErrorCode | undefined {
  if (!facts.isCa) return 'ca_flag_missing';
  if (facts.keyUsage?.includes('keyCertSign') === false) return 'ca_usage';
  return index - 1 > (facts.pathLength ?? Infinity) ? 'path_length_exceeded' : undefined;
}

/**
 * Checks what the certificate at `index` of a chain (0 is the leaf) may be used for
 * (RFC 5280 sections 4.2 and 6.1.4 (k) to (o)).
 *
 * @throws PkiError `certificate_usage`, `ca_flag_missing`, `ca_usage`, `path_length_exceeded`,
 * `certificate_extension_unsupported`, with `certificateIndex` in `details`.
 */
export function assertCertificateUsage(facts: CertificateFacts, index: number): void {
  const unknown = facts.criticalExtensions.find((oid) => !understood.has(oid));
  const fault = index === 0 ? leafFault(facts) : caFault(facts, index);
  const code = unknown === undefined ? fault : 'certificate_extension_unsupported';
  if (code !== undefined)
    throw new PkiError(code, `certificate ${index} of the chain: ${code}`, {
      details: { certificateIndex: index, ...(unknown === undefined ? {} : { oid: unknown }) },
    });
}
