import { KeyUsageFlags, type Extension } from '@peculiar/asn1-x509';

import { algorithmFacts } from './algorithm.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  encodeExtensions,
  keyIdentifier,
  keyUsage,
  profileExtensions,
  subjectAlternativeName,
  subjectKeyIdentifier,
  type CertificateProfile,
} from './certificate-extensions.ts';
import { parseCertificate, type CertificateFacts } from './certificate.ts';
import { element, sequence, unsignedInteger } from './der.ts';
import {
  certificateEmail,
  encodeDistinguishedName,
  type DistinguishedName,
} from './distinguished-name.ts';
import { PkiError } from './error.ts';
import { keyAlgorithmOf } from './public-key.ts';
import { assertSerialNumber } from './serial-number.ts';
import { signStructure } from './signed-structure.ts';
import type { Signer } from './signer.ts';
import { encodeValidity, type Validity } from './validity.ts';

/** `[0] EXPLICIT INTEGER 2`, which is v3 (RFC 5280 section 4.1.2.1). */
const version3 = element(0xa0, unsignedInteger(Uint8Array.of(2)));
const extensionsTag = 0xa3;

interface Contents {
  readonly serialNumber: Uint8Array;
  /** DER Name. */
  readonly issuer: Uint8Array;
  readonly subject: DistinguishedName;
  readonly subjectPublicKey: Uint8Array;
  readonly validity: Validity;
  readonly extensions: readonly Extension[];
}

/** Names and keys go in as the bytes they came in, so that a child's issuer equals its CA's subject. */
function issue(signer: Signer, contents: Contents): Promise<Uint8Array> {
  assertSerialNumber(contents.serialNumber);
  const email = certificateEmail(contents.subject);
  const extensions = [
    ...contents.extensions,
    ...(email === undefined ? [] : [subjectAlternativeName(email)]),
  ];
  const tbsCertificate = sequence(
    version3,
    unsignedInteger(contents.serialNumber),
    algorithmFacts[signer.algorithm].signatureAlgorithmDer,
    contents.issuer,
    encodeValidity(contents.validity),
    encodeDistinguishedName(contents.subject),
    contents.subjectPublicKey,
    element(extensionsTag, encodeExtensions(extensions)),
  );
  return signStructure(tbsCertificate, signer);
}

/** The CA that issues, checked to be one and to be in the hands of `signer` for the whole validity. */
function issuingCa(signer: Signer, certificate: Uint8Array, validity: Validity): CertificateFacts {
  const ca = parseCertificate(certificate);
  if (Buffer.compare(ca.publicKey, signer.publicKey) !== 0)
    throw new PkiError('certificate_key_mismatch', "the CA certificate is not of the signer's key");
  if (!ca.isCa) throw new PkiError('ca_flag_missing', 'the issuing certificate is not a CA');
  if (ca.keyUsage?.includes('keyCertSign') === false)
    throw new PkiError('ca_usage', 'the CA may not sign certificates');
  if (validity.notBefore < ca.notBefore || validity.notAfter > ca.notAfter)
    throw new PkiError(
      'validity_invalid',
      'the certificate would not lie within its CA’s validity',
    );
  return ca;
}

/**
 * Issues a CA certificate (RFC 5280 section 4.2.1.9): self-signed, or by the CA named in `issuer`.
 * `pathLength` is how many CAs may follow it; 0 without.
 *
 * @throws PkiError `distinguished_name_invalid`, `serial_number_invalid`, `validity_invalid`,
 * `signer_faulty`, and about the issuer `certificate_key_mismatch`, `ca_flag_missing`, `ca_usage`.
 */
export async function issueCaCertificate(o: {
  /** Of the new CA's own key. */
  readonly signer: Signer;
  readonly subject: DistinguishedName;
  readonly validity: Validity;
  readonly serialNumber: Uint8Array;
  readonly pathLength?: number;
  readonly issuer?: { readonly caSigner: Signer; readonly caCertificate: Uint8Array };
}): Promise<Uint8Array> {
  const { issuer, signer } = o;
  const ca =
    issuer === undefined ? undefined : issuingCa(issuer.caSigner, issuer.caCertificate, o.validity);
  return issue(issuer?.caSigner ?? signer, {
    serialNumber: o.serialNumber,
    issuer: ca?.subjectDer ?? encodeDistinguishedName(o.subject),
    subject: o.subject,
    subjectPublicKey: signer.publicKey,
    validity: o.validity,
    extensions: [
      basicConstraints({ cA: true, pathLength: o.pathLength ?? 0 }),
      keyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign),
      subjectKeyIdentifier(signer.publicKey),
      ...(ca === undefined ? [] : [authorityKeyIdentifier(caKeyIdentifier(ca))]),
    ],
  });
}

function caKeyIdentifier(ca: CertificateFacts): Uint8Array {
  return ca.subjectKeyIdentifier ?? keyIdentifier(ca.publicKey);
}

/**
 * Issues the certificate of a user's signing key: not a CA, keyUsage digitalSignature and
 * nonRepudiation only.
 *
 * @throws PkiError `algorithm_unsupported`, `public_key_malformed`, `malformed_certificate`,
 * `profile_invalid`, and those of {@link issueCaCertificate}.
 */
export async function issueSigningCertificate(o: {
  readonly caSigner: Signer;
  /** DER. */
  readonly caCertificate: Uint8Array;
  readonly subject: DistinguishedName;
  /** DER SubjectPublicKeyInfo. */
  readonly subjectPublicKey: Uint8Array;
  readonly profile: CertificateProfile;
  readonly serialNumber: Uint8Array;
  readonly validity: Validity;
}): Promise<Uint8Array> {
  keyAlgorithmOf(o.subjectPublicKey);
  const ca = issuingCa(o.caSigner, o.caCertificate, o.validity);
  return issue(o.caSigner, {
    serialNumber: o.serialNumber,
    issuer: ca.subjectDer,
    subject: o.subject,
    subjectPublicKey: o.subjectPublicKey,
    validity: o.validity,
    extensions: [
      basicConstraints({ cA: false }),
      keyUsage(KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation),
      subjectKeyIdentifier(o.subjectPublicKey),
      authorityKeyIdentifier(caKeyIdentifier(ca)),
      ...profileExtensions(o.profile),
    ],
  });
}
