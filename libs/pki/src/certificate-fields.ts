import { decodeObjectIdentifier, DerReader, readDer } from './der-reader.ts';
import { derTag } from './der.ts';
import { PkiError } from './error.ts';
import { memoizeBytes } from './memo.ts';

/** The fields of a certificate that CMS and path building compare, as encoded (RFC 5280 section 4.1). */
export interface CertificateFields {
  /** Content octets of the INTEGER. */
  readonly serialNumber: Uint8Array;
  /** The whole INTEGER element. */
  readonly serialNumberDer: Uint8Array;
  /** DER Name. */
  readonly issuer: Uint8Array;
  /** DER Name. */
  readonly subject: Uint8Array;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** In their encoded order. */
  readonly extensions: readonly CertificateExtension[];
}

export interface CertificateExtension {
  /** Dotted decimals. */
  readonly oid: string;
  readonly critical: boolean;
  /** DER of the extension's value. */
  readonly value: Uint8Array;
}

const versionTag = 0xa0;
const issuerUniqueIdTag = 0x81;
const subjectUniqueIdTag = 0x82;
const extensionsTag = 0xa3;

function readExtensions(tbs: DerReader): CertificateExtension[] {
  const explicit = tbs.optional(extensionsTag);
  if (explicit === undefined) return [];
  const list = new DerReader(readDer(explicit.contents, derTag.sequence).contents);
  return list.rest().map((entry) => {
    const fields = new DerReader(readDer(entry.bytes, derTag.sequence).contents);
    const oid = decodeObjectIdentifier(fields.next(derTag.objectIdentifier).contents);
    const critical = fields.optional(derTag.boolean)?.contents[0] === 0xff;
    const value = fields.next(derTag.octetString).contents;
    fields.end();
    return { oid, critical, value };
  });
}

/**
 * Reads those fields and nothing else; recent certificates are remembered, since every document
 * of a key brings the same ones.
 *
 * @throws PkiError `malformed_certificate`.
 */
export const readCertificateFields: (certificate: Uint8Array) => CertificateFields = memoizeBytes(
  1024,
  // A copy, lest what is remembered keep the whole document alive in which the certificate stood.
  (certificate: Uint8Array) => readFields(new Uint8Array(certificate)),
);

function readFields(certificate: Uint8Array): CertificateFields {
  try {
    const whole = new DerReader(readDer(certificate, derTag.sequence).contents);
    const tbs = whole.enter(derTag.sequence);
    whole.next(derTag.sequence);
    whole.next(derTag.bitString);
    whole.end();
    tbs.optional(versionTag);
    const serial = tbs.next(derTag.integer);
    tbs.next(derTag.sequence);
    const issuer = tbs.next(derTag.sequence).bytes;
    tbs.next(derTag.sequence);
    const subject = tbs.next(derTag.sequence).bytes;
    const publicKey = tbs.next(derTag.sequence).bytes;
    tbs.optional(issuerUniqueIdTag);
    tbs.optional(subjectUniqueIdTag);
    const extensions = readExtensions(tbs);
    tbs.end();
    return {
      serialNumber: serial.contents,
      serialNumberDer: serial.bytes,
      issuer,
      subject,
      publicKey,
      extensions,
    };
  } catch (cause) {
    throw new PkiError('malformed_certificate', 'not a DER X.509 certificate', { cause });
  }
}
