import { algorithmFacts, type KeyAlgorithm } from './algorithm.ts';
import { readCertificateFields } from './certificate-fields.ts';
import { cmsOid } from './cms-oid.ts';
import { readDer } from './der-reader.ts';
import {
  derTag,
  element,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  sortSetOf,
  unsignedInteger,
} from './der.ts';
import { PkiError } from './error.ts';
import { signedAttributes } from './signed-attributes.ts';

const version1 = unsignedInteger(Uint8Array.of(1));
const signedDataType = objectIdentifier(cmsOid.signedData);
const detachedContent = sequence(objectIdentifier(cmsOid.data));
const explicitContentTag = 0xa0;
const certificatesTag = 0xa0;
const signedAttributesTag = 0xa0;

export interface SignedDataOptions {
  /** What {@link signedAttributes} returned. */
  readonly signedAttributes: Uint8Array;
  /** What `Signer.sign` returned for them. */
  readonly signature: Uint8Array;
  /** DER certificates, leaf first. */
  readonly certificateChain: readonly Uint8Array[];
  readonly algorithm: KeyAlgorithm;
}

/** SignerInfo (RFC 5652 section 5.3) of version 1: the signer is named by issuer and serial number. */
function signerInfo(leaf: Uint8Array, o: SignedDataOptions): Uint8Array {
  const { digestAlgorithmDer, signatureAlgorithmDer } = algorithmFacts[o.algorithm];
  const { issuer, serialNumberDer } = readCertificateFields(leaf);
  return sequence(
    version1,
    sequence(issuer, serialNumberDer),
    digestAlgorithmDer,
    element(signedAttributesTag, readDer(o.signedAttributes, derTag.set).contents),
    signatureAlgorithmDer,
    octetString(o.signature),
  );
}

/**
 * The detached CMS SignedData of one signature, as a DER ContentInfo (RFC 5652 sections 3 and 5).
 *
 * @throws PkiError `chain_empty`, `malformed_certificate`.
 */
export function signedData(o: SignedDataOptions): Uint8Array {
  const [leaf] = o.certificateChain;
  if (leaf === undefined) throw new PkiError('chain_empty', 'a signature needs its certificate');
  return sequence(
    signedDataType,
    element(
      explicitContentTag,
      sequence(
        version1,
        setOf(algorithmFacts[o.algorithm].digestAlgorithmDer),
        detachedContent,
        element(certificatesTag, ...sortSetOf(o.certificateChain)),
        setOf(signerInfo(leaf, o)),
      ),
    ),
  );
}

/**
 * The greatest number of bytes that {@link signedData} can return for this chain and algorithm; only
 * an ECDSA signature's length varies, by a few bytes.
 *
 * @throws PkiError `chain_empty`, `malformed_certificate`.
 */
export function signedDataSizeLimit(o: {
  readonly certificateChain: readonly Uint8Array[];
  readonly algorithm: KeyAlgorithm;
}): number {
  const { digestBytes, maxSignatureBytes } = algorithmFacts[o.algorithm];
  const attributes = signedAttributes({
    messageDigest: new Uint8Array(digestBytes),
    signingCertificate: o.certificateChain[0] ?? new Uint8Array(),
    algorithm: o.algorithm,
  });
  return signedData({
    ...o,
    signedAttributes: attributes,
    signature: new Uint8Array(maxSignatureBytes),
  }).length;
}
