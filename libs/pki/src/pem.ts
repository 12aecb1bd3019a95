import { PkiError } from './error.ts';

/** Labels of RFC 7468 that this project writes or reads. */
export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'PUBLIC KEY';

/** Textual encoding of DER (RFC 7468 section 3), with a line feed at its end. */
export function encodePem(label: PemLabel, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return [`-----BEGIN ${label}-----`, ...(lines ?? []), `-----END ${label}-----`, ''].join('\n');
}

const block = /^-----BEGIN ([A-Z0-9 ]+)-----\s+([A-Za-z0-9+/=\s]*?)-----END \1-----\s*$/gm;

/**
 * The DER of every block with that label, in the order of the file; text around blocks is allowed
 * (RFC 7468 section 2). A block of another label is refused, so that a private key in a certificate
 * file does not pass unnoticed.
 *
 * @throws PkiError `malformed_pem` for no block, a foreign or a damaged one.
 */
export function parsePem(label: PemLabel, text: string): Uint8Array[] {
  const blocks = [...text.matchAll(block)];
  if (blocks.length === 0 || blocks.length !== text.split('-----BEGIN ').length - 1)
    throw new PkiError('malformed_pem', `no undamaged PEM block of label ${label}`);
  return blocks.map(([, found, base64 = '']) => {
    if (found !== label)
      throw new PkiError('malformed_pem', `only PEM blocks of label ${label} are expected`);
    const compact = base64.replace(/\s/g, '');
    const der = Buffer.from(compact, 'base64');
    if (der.length === 0 || der.toString('base64') !== compact)
      throw new PkiError('malformed_pem', 'a PEM block is not base64');
    return new Uint8Array(der);
  });
}
