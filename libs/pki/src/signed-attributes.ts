import { createHash } from 'node:crypto';

import { algorithmFacts, type KeyAlgorithm } from './algorithm.ts';
import { cmsOid } from './cms-oid.ts';
import { objectIdentifier, octetString, sequence, setOf } from './der.ts';
import { PkiError } from './error.ts';

const contentTypeAttribute = attribute(cmsOid.contentType, objectIdentifier(cmsOid.data));
const messageDigestType = objectIdentifier(cmsOid.messageDigest);
const signingCertificateType = objectIdentifier(cmsOid.signingCertificateV2);

function attribute(type: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(type), setOf(value));
}

/**
 * ESS signing-certificate-v2 (RFC 5035 section 3). SHA-256 is the DEFAULT of hashAlgorithm and so
 * absent in DER; issuerSerial is left out, as ETSI EN 319 122-1 section 5.2.2.3 recommends.
 */
function signingCertificateV2(certificate: Uint8Array, algorithm: KeyAlgorithm): Uint8Array {
  const { digest, digestAlgorithmDer } = algorithmFacts[algorithm];
  const hash = octetString(createHash(digest).update(certificate).digest());
  return digest === 'sha256'
    ? sequence(sequence(sequence(hash)))
    : sequence(sequence(sequence(digestAlgorithmDer, hash)));
}

/**
 * The signed attributes of a PAdES baseline signature (ETSI EN 319 142-1 section 6.3): content-type,
 * message-digest and signing-certificate-v2. There is no signing-time, because /M of the signature
 * dictionary carries it. Returns the DER SET OF that is signed (RFC 5652 section 5.4).
 *
 * @throws PkiError `digest_length_invalid` if the digest is not of the algorithm's digest.
 */
export function signedAttributes(o: {
  readonly messageDigest: Uint8Array;
  /** DER. */
  readonly signingCertificate: Uint8Array;
  readonly algorithm: KeyAlgorithm;
}): Uint8Array {
  const { digestBytes } = algorithmFacts[o.algorithm];
  if (o.messageDigest.length !== digestBytes)
    throw new PkiError('digest_length_invalid', 'the message digest is of another algorithm', {
      details: { expected: digestBytes, found: o.messageDigest.length },
    });
  return setOf(
    contentTypeAttribute,
    sequence(messageDigestType, setOf(octetString(o.messageDigest))),
    sequence(
      signingCertificateType,
      setOf(signingCertificateV2(o.signingCertificate, o.algorithm)),
    ),
  );
}
