import { cmsOid } from './cms-oid.ts';
import { assertDer, decodeObjectIdentifier, DerReader, readDer } from './der-reader.ts';
import { derTag, element } from './der.ts';
import { PkiError } from './error.ts';
import { hasNoParameters } from './signature-algorithm.ts';
import { parseSignedAttributes, type ParsedSignedAttributes } from './parse-signed-attributes.ts';

/** Whom a SignerInfo names as its signer (RFC 5652 section 5.3). */
export type SignerIdentifier =
  | { readonly issuer: Uint8Array; readonly serialNumber: Uint8Array }
  | { readonly subjectKeyIdentifier: Uint8Array };

/** A detached SignedData with its one signer, unjudged. */
export interface ParsedSignedData {
  /** DER certificates in their embedded order, which says nothing. */
  readonly certificates: readonly Uint8Array[];
  readonly signerIdentifier: SignerIdentifier;
  /** Dotted OBJECT IDENTIFIERs. */
  readonly digestOid: string;
  readonly signatureOid: string;
  /** Whole DER AlgorithmIdentifiers. */
  readonly digestAlgorithmDer: Uint8Array;
  readonly signatureAlgorithmDer: Uint8Array;
  readonly signedAttributes: ParsedSignedAttributes;
  readonly signature: Uint8Array;
  /** Whether there are unsigned attributes, such as a signature timestamp. */
  readonly hasUnsignedAttributes: boolean;
}

const context0 = 0xa0;
const context1 = 0xa1;
const subjectKeyIdentifierTag = 0x80;

function refuse(reason: string): never {
  throw new PkiError('malformed_signed_data', reason);
}

/** An AlgorithmIdentifier's OID. Its parameters are judged where the algorithm is known. */
function algorithmOid(algorithm: Uint8Array): string {
  const fields = new DerReader(readDer(algorithm, derTag.sequence).contents);
  return decodeObjectIdentifier(fields.next(derTag.objectIdentifier).contents);
}

/** Digests have no parameters, and verifiers take NULL for none (RFC 5754 section 2). */
function digestOid(algorithm: Uint8Array): string {
  if (!hasNoParameters(algorithm)) refuse('a digest algorithm has parameters');
  return algorithmOid(algorithm);
}

function smallInteger(reader: DerReader): number {
  const { contents } = reader.next(derTag.integer);
  return contents.length === 1 ? (contents[0] ?? -1) : refuse('version out of range');
}

function readSignerIdentifier(signer: DerReader): SignerIdentifier {
  const keyIdentifier = signer.optional(subjectKeyIdentifierTag);
  if (keyIdentifier !== undefined) return { subjectKeyIdentifier: keyIdentifier.contents };
  const named = signer.enter(derTag.sequence);
  const issuer = named.next(derTag.sequence).bytes;
  const serialNumber = named.next(derTag.integer).contents;
  named.end();
  return { issuer, serialNumber };
}

type ParsedSignerInfo = Omit<ParsedSignedData, 'certificates'> & { readonly version: number };

function readSignerInfo(signer: DerReader): ParsedSignerInfo {
  const version = smallInteger(signer);
  const signerIdentifier = readSignerIdentifier(signer);
  if (version !== ('issuer' in signerIdentifier ? 1 : 3)) refuse('SignerInfo version');
  const digestAlgorithmDer = signer.next(derTag.sequence).bytes;
  const attributes = signer.optional(context0) ?? refuse('no signed attributes');
  const signatureAlgorithmDer = signer.next(derTag.sequence).bytes;
  const signature = signer.next(derTag.octetString).contents;
  const unsigned = signer.optional(context1);
  signer.end();
  return {
    version,
    signerIdentifier,
    digestAlgorithmDer,
    signatureAlgorithmDer,
    digestOid: digestOid(digestAlgorithmDer),
    signatureOid: algorithmOid(signatureAlgorithmDer),
    signedAttributes: parseSignedAttributes(element(derTag.set, attributes.contents)),
    signature,
    hasUnsignedAttributes: unsigned !== undefined,
  };
}

function requireDetached(content: DerReader): void {
  const type = decodeObjectIdentifier(content.next(derTag.objectIdentifier).contents);
  if (type !== cmsOid.data) refuse('content type is not id-data');
  if (!content.done) refuse('content is not detached');
}

function readSignedData(der: Uint8Array): ParsedSignedData {
  const contentInfo = new DerReader(readDer(der, derTag.sequence).contents);
  const type = decodeObjectIdentifier(contentInfo.next(derTag.objectIdentifier).contents);
  if (type !== cmsOid.signedData) refuse('not a SignedData');
  const explicit = contentInfo.next(context0).contents;
  contentInfo.end();
  const body = new DerReader(readDer(explicit, derTag.sequence).contents);
  const version = smallInteger(body);
  const digestAlgorithms = body.enter(derTag.set).rest();
  requireDetached(body.enter(derTag.sequence));
  const certificates = body.optional(context0);
  body.optional(context1);
  const signers = body.enter(derTag.set);
  body.end();
  const { version: signerVersion, ...signer } = readSignerInfo(signers.enter(derTag.sequence));
  if (!signers.done) refuse('more than one signer');
  if (version !== signerVersion) refuse('SignedData version');
  if (!digestAlgorithms.some(({ bytes }) => digestOid(bytes) === signer.digestOid))
    refuse("the signer's digest algorithm is not announced");
  const embedded = certificates === undefined ? [] : new DerReader(certificates.contents).rest();
  if (embedded.some(({ tag }) => tag !== derTag.sequence)) refuse('not an X.509 certificate');
  return { ...signer, certificates: embedded.map(({ bytes }) => bytes) };
}

/**
 * Parses a DER ContentInfo that holds a detached SignedData of exactly one signer with signed
 * attributes, as PAdES demands (ETSI EN 319 142-1 section 4.1). Nothing may follow it.
 *
 * @throws PkiError `malformed_signed_data`.
 */
export function parseSignedData(der: Uint8Array): ParsedSignedData {
  try {
    assertDer(der);
    return readSignedData(der);
  } catch (cause) {
    if (cause instanceof PkiError && cause.code === 'malformed_signed_data') throw cause;
    throw new PkiError('malformed_signed_data', 'not a DER CMS SignedData', { cause });
  }
}
