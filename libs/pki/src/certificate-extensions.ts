import { hash } from 'node:crypto';

import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  CertificatePolicies,
  CRLDistributionPoints,
  DistributionPoint,
  DistributionPointName,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_certificatePolicies,
  id_ce_cRLDistributionPoints,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  KeyUsage,
  PolicyInformation,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
} from '@peculiar/asn1-x509';

import { DerReader, readDer } from './der-reader.ts';
import { derTag } from './der.ts';
import { PkiError } from './error.ts';

/** What the issuer decides about the certificates of users. */
export interface CertificateProfile {
  /** http(s) or ldap URLs at which the CA's CRL is published (RFC 5280 section 4.2.1.13). */
  readonly crlUrls?: readonly string[];
  /** Dotted OBJECT IDENTIFIERs of the policies issued under (RFC 5280 section 4.2.1.4). */
  readonly policyOids?: readonly string[];
}

function extension(extnID: string, critical: boolean, value: unknown): Extension {
  return new Extension({
    extnID,
    critical,
    extnValue: new OctetString(AsnConvert.serialize(value)),
  });
}

/**
 * Key identifier of a DER SubjectPublicKeyInfo: the leftmost 160 bits of the SHA-256 of the subject
 * public key's bits (RFC 7093 section 2, method 1).
 */
export function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  const fields = new DerReader(readDer(publicKey, derTag.sequence).contents);
  fields.next(derTag.sequence);
  const bits = fields.next(derTag.bitString).contents.subarray(1);
  return new Uint8Array(hash('sha256', bits, 'buffer').subarray(0, 20));
}

export function subjectKeyIdentifier(publicKey: Uint8Array): Extension {
  const value = new SubjectKeyIdentifier(keyIdentifier(publicKey));
  return extension(id_ce_subjectKeyIdentifier, false, value);
}

export function authorityKeyIdentifier(issuerKeyIdentifier: Uint8Array): Extension {
  const value = new AuthorityKeyIdentifier({
    keyIdentifier: new KeyIdentifier(issuerKeyIdentifier),
  });
  return extension(id_ce_authorityKeyIdentifier, false, value);
}

/** `flags` are KeyUsageFlags. Critical (RFC 5280 section 4.2.1.3). */
export function keyUsage(flags: number): Extension {
  return extension(id_ce_keyUsage, true, new KeyUsage(flags));
}

/** For a CA with the number of CAs that may follow it, undefined for no limit; for others, without. */
export function basicConstraints(o: { cA: boolean; pathLength?: number | undefined }): Extension {
  const value = new BasicConstraints({
    cA: o.cA,
    ...(o.pathLength === undefined ? {} : { pathLenConstraint: o.pathLength }),
  });
  return extension(id_ce_basicConstraints, true, value);
}

export function subjectAlternativeName(email: string): Extension {
  const value = new SubjectAlternativeName([new GeneralName({ rfc822Name: email })]);
  return extension(id_ce_subjectAltName, false, value);
}

function crlDistributionPoint(url: string): DistributionPoint {
  if (!URL.canParse(url) || !/^(https?|ldap):\/\/[\x21-\x7e]+$/.test(url))
    throw new PkiError('profile_invalid', 'a CRL URL must be an absolute http, https or ldap URL');
  const fullName = [new GeneralName({ uniformResourceIdentifier: url })];
  return new DistributionPoint({ distributionPoint: new DistributionPointName({ fullName }) });
}

function policy(oid: string): PolicyInformation {
  if (!/^(?:[01]\.[123]?\d|2\.\d{1,3})(?:\.(?:0|[1-9]\d{0,8}))*$/.test(oid))
    throw new PkiError('profile_invalid', 'a certificate policy is named by a dotted OID');
  return new PolicyInformation({ policyIdentifier: oid });
}

/** @throws PkiError `profile_invalid`. */
export function profileExtensions({
  crlUrls = [],
  policyOids = [],
}: CertificateProfile): Extension[] {
  const extensions: Extension[] = [];
  if (policyOids.length > 0) {
    const value = new CertificatePolicies(policyOids.map(policy));
    extensions.push(extension(id_ce_certificatePolicies, false, value));
  }
  if (crlUrls.length > 0) {
    const value = new CRLDistributionPoints(crlUrls.map(crlDistributionPoint));
    extensions.push(extension(id_ce_cRLDistributionPoints, false, value));
  }
  return extensions;
}

/** DER SEQUENCE OF Extension. */
export function encodeExtensions(extensions: readonly Extension[]): Uint8Array {
  return new Uint8Array(AsnConvert.serialize(new Extensions([...extensions])));
}
