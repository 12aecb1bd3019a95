import { cmsOid } from './cms-oid.ts';
import { decodeObjectIdentifier, DerReader, readDer } from './der-reader.ts';
import { derTag } from './der.ts';
import { PkiError } from './error.ts';

/** What an ESS signing-certificate attribute says of the signer's certificate (RFC 5035 section 4). */
export interface SigningCertificateHash {
  /** Dotted OBJECT IDENTIFIER of the hash. */
  readonly digestOid: string;
  readonly hash: Uint8Array;
}

export interface ParsedSignedAttributes {
  /** The DER SET OF that the signature is over. */
  readonly der: Uint8Array;
  /** Dotted OBJECT IDENTIFIERs, in their encoded order, each once. */
  readonly types: readonly string[];
  readonly messageDigest: Uint8Array;
  /** Undefined without signing-certificate-v2. */
  readonly signingCertificate: SigningCertificateHash | undefined;
}

const sha256Oid = '2.16.840.1.101.3.4.2.1';

function refuse(reason: string): never {
  throw new PkiError('malformed_signed_data', reason);
}

/** Attribute types with their one value's DER; a type twice or a number of values but one is refused. */
function readAttributes(set: Uint8Array): Map<string, Uint8Array> {
  const attributes = new Map<string, Uint8Array>();
  for (const { bytes } of new DerReader(readDer(set, derTag.set).contents).rest()) {
    const fields = new DerReader(readDer(bytes, derTag.sequence).contents);
    const type = decodeObjectIdentifier(fields.next(derTag.objectIdentifier).contents);
    const values = fields.enter(derTag.set);
    fields.end();
    const value = values.next().bytes;
    if (!values.done || attributes.has(type)) refuse(`attribute ${type} is not single`);
    attributes.set(type, value);
  }
  return attributes;
}

/** The first ESSCertIDv2, which is the signer's (RFC 5035 section 3). */
function readSigningCertificateV2(value: Uint8Array): SigningCertificateHash {
  const signingCertificate = new DerReader(readDer(value, derTag.sequence).contents);
  const first = signingCertificate.enter(derTag.sequence).enter(derTag.sequence);
  const hashAlgorithm = first.optional(derTag.sequence);
  const hash = first.next(derTag.octetString).contents;
  const digestOid =
    hashAlgorithm === undefined
      ? sha256Oid
      : decodeObjectIdentifier(
          new DerReader(hashAlgorithm.contents).next(derTag.objectIdentifier).contents,
        );
  return { digestOid, hash };
}

/**
 * Parses the SET OF signed attributes (RFC 5652 sections 5.3 and 11).
 *
 * @throws PkiError `malformed_der`, `malformed_signed_data`.
 */
export function parseSignedAttributes(der: Uint8Array): ParsedSignedAttributes {
  const attributes = readAttributes(der);
  const contentType = attributes.get(cmsOid.contentType) ?? refuse('no content-type');
  const named = decodeObjectIdentifier(readDer(contentType, derTag.objectIdentifier).contents);
  if (named !== cmsOid.data) refuse('content-type is not id-data');
  const digest = attributes.get(cmsOid.messageDigest) ?? refuse('no message-digest');
  const signingCertificate = attributes.get(cmsOid.signingCertificateV2);
  return {
    der,
    types: [...attributes.keys()],
    messageDigest: readDer(digest, derTag.octetString).contents,
    signingCertificate:
      signingCertificate === undefined ? undefined : readSigningCertificateV2(signingCertificate),
  };
}
