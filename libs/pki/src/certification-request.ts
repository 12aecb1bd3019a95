import { KeyUsageFlags } from '@peculiar/asn1-x509';

import { encodeExtensions, keyUsage, subjectAlternativeName } from './certificate-extensions.ts';
import { element, objectIdentifier, sequence, setOf, unsignedInteger } from './der.ts';
import {
  certificateEmail,
  encodeDistinguishedName,
  type DistinguishedName,
} from './distinguished-name.ts';
import { signStructure } from './signed-structure.ts';
import type { Signer } from './signer.ts';

const version1 = unsignedInteger(Uint8Array.of(0));
/** PKCS#9 extensionRequest (RFC 2985 section 5.4.2). */
const extensionRequest = objectIdentifier('1.2.840.113549.1.9.14');
const attributesTag = 0xa0;

/**
 * A PKCS#10 certification request (RFC 2986) signed by the key it is for. It asks for keyUsage
 * digitalSignature and nonRepudiation and for the subject's e-mail address as alternative name.
 *
 * @throws PkiError `distinguished_name_invalid`, `signer_faulty`.
 */
export async function certificationRequest(o: {
  readonly signer: Signer;
  readonly subject: DistinguishedName;
}): Promise<Uint8Array> {
  const email = certificateEmail(o.subject);
  const extensions = encodeExtensions([
    keyUsage(KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation),
    ...(email === undefined ? [] : [subjectAlternativeName(email)]),
  ]);
  const requestInfo = sequence(
    version1,
    encodeDistinguishedName(o.subject),
    o.signer.publicKey,
    element(attributesTag, sequence(extensionRequest, setOf(extensions))),
  );
  return signStructure(requestInfo, o.signer);
}
