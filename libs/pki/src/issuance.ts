import { X509Certificate } from 'node:crypto';

import { assertDer } from './der-reader.ts';
import { PkiError } from './error.ts';
import { memoizeBytes } from './memo.ts';

/** Enough for every certificate that a busy worker meets within minutes; some 10 MB when full. */
const rememberedCertificates = 1024;

/**
 * OpenSSL's reading of a DER certificate, which has to be strict DER throughout and use a key that
 * OpenSSL knows.
 *
 * @throws PkiError `malformed_certificate`.
 */
export const readX509: (certificate: Uint8Array) => X509Certificate = memoizeBytes(
  rememberedCertificates,
  (certificate: Uint8Array) => {
    try {
      assertDer(certificate);
      const parsed = new X509Certificate(certificate);
      if (!parsed.raw.equals(certificate)) throw new RangeError('something follows it');
      if (parsed.publicKey.type !== 'public') throw new RangeError('no public key');
      return parsed;
    } catch (cause) {
      throw new PkiError('malformed_certificate', 'not a DER X.509 certificate', { cause });
    }
  },
);

/**
 * Whether `certificate` carries a signature by the key in `issuer` (RFC 5280 section 6.1.3 (a)(1)).
 * Names, validity and usage are not looked at.
 *
 * @throws PkiError `malformed_certificate`.
 */
export const isSignedBy: (certificate: Uint8Array, issuer: Uint8Array) => boolean = memoizeBytes(
  rememberedCertificates,
  (certificate: Uint8Array, issuer: Uint8Array) =>
    readX509(certificate).verify(readX509(issuer).publicKey),
);
