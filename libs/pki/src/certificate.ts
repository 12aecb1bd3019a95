import { AsnConvert, type OctetString } from '@peculiar/asn1-schema';
import {
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectKeyIdentifier,
  KeyUsage,
  SubjectKeyIdentifier,
  type KeyUsageType,
} from '@peculiar/asn1-x509';

import { readCertificateFields, type CertificateExtension } from './certificate-fields.ts';
import { formatDistinguishedName } from './distinguished-name.ts';
import { PkiError } from './error.ts';
import { readX509 } from './issuance.ts';
import { memoizeBytes } from './memo.ts';

/** What a certificate says (RFC 5280 section 4.1), its signature unjudged. */
export interface CertificateFacts {
  /** As text (RFC 4514), most specific first, such as `CN=Ada,O=Example,C=SE`. */
  readonly subject: string;
  readonly issuer: string;
  /** DER Names. */
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly commonName: string | undefined;
  /** Magnitude in lower-case hex, an even number of digits. */
  readonly serialNumberHex: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly isCa: boolean;
  /** How many CAs may follow; undefined for no limit. */
  readonly pathLength: number | undefined;
  /** Undefined if the extension is absent, which permits every use. */
  readonly keyUsage: readonly KeyUsageType[] | undefined;
  /** Dotted OIDs; undefined if the extension is absent, which permits every purpose. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly subjectKeyIdentifier: Uint8Array | undefined;
  /** Dotted OIDs of the extensions that whoever does not understand them must refuse. */
  readonly criticalExtensions: readonly string[];
}

const commonNameOid = '2.5.4.3';

function bytes(view: OctetString): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function parseExtension<Value>(
  extensions: readonly CertificateExtension[],
  wanted: string,
  type: new () => Value,
): Value | undefined {
  const found = extensions.filter(({ oid }) => oid === wanted);
  if (found.length > 1) throw new RangeError(`extension ${wanted} occurs twice`);
  return found[0] === undefined ? undefined : AsnConvert.parse(found[0].value, type);
}

function readCertificate(der: Uint8Array): CertificateFacts {
  readX509(der);
  const fields = readCertificateFields(der);
  const { tbsCertificate } = AsnConvert.parse(der, Certificate);
  const { extensions } = fields;
  const constraints = parseExtension(extensions, id_ce_basicConstraints, BasicConstraints);
  const keyId = parseExtension(extensions, id_ce_subjectKeyIdentifier, SubjectKeyIdentifier);
  const purposes = parseExtension(extensions, id_ce_extKeyUsage, ExtendedKeyUsage);
  const commonName = [...tbsCertificate.subject].flat().find(({ type }) => type === commonNameOid);
  const serial = Buffer.from(fields.serialNumber).toString('hex');
  return {
    subject: formatDistinguishedName(tbsCertificate.subject),
    issuer: formatDistinguishedName(tbsCertificate.issuer),
    subjectDer: fields.subject,
    issuerDer: fields.issuer,
    commonName: commonName?.value.toString(),
    serialNumberHex: serial.length > 2 && serial.startsWith('00') ? serial.slice(2) : serial,
    notBefore: tbsCertificate.validity.notBefore.getTime(),
    notAfter: tbsCertificate.validity.notAfter.getTime(),
    publicKey: fields.publicKey,
    isCa: constraints?.cA ?? false,
    pathLength: constraints?.pathLenConstraint,
    keyUsage: parseExtension(extensions, id_ce_keyUsage, KeyUsage)?.toJSON(),
    extendedKeyUsage: purposes === undefined ? undefined : [...purposes],
    subjectKeyIdentifier: keyId === undefined ? undefined : bytes(keyId),
    criticalExtensions: extensions.filter(({ critical }) => critical).map(({ oid }) => oid),
  };
}

// The certificates of a user and a CA come with every document that they sign.
const readOnce = memoizeBytes(1_024, readCertificate);

/**
 * Parses one DER certificate.
 *
 * @throws PkiError `malformed_certificate`.
 */
export function parseCertificate(der: Uint8Array): CertificateFacts {
  try {
    return readOnce(der);
  } catch (cause) {
    if (cause instanceof PkiError && cause.code === 'malformed_certificate') throw cause;
    throw new PkiError('malformed_certificate', 'not a DER X.509 certificate', { cause });
  }
}
