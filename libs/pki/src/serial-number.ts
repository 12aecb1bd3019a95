import { randomBytes } from 'node:crypto';

import { PkiError } from './error.ts';

/**
 * A certificate serial number of 16 octets with 126 random bits, positive as an INTEGER, as
 * big-endian magnitude (RFC 5280 section 4.1.2.2).
 */
export function randomSerialNumber(): Uint8Array {
  const serialNumber = new Uint8Array(randomBytes(16));
  serialNumber[0] = ((serialNumber[0] ?? 0) & 0x3f) | 0x40;
  return serialNumber;
}

/**
 * Checks a serial number given as big-endian magnitude: positive, and at most 20 octets as INTEGER.
 *
 * @throws PkiError `serial_number_invalid`.
 */
export function assertSerialNumber(magnitude: Uint8Array): void {
  const firstDigit = magnitude.findIndex((octet) => octet !== 0);
  const digits = magnitude.length - firstDigit;
  const signOctet = (magnitude[firstDigit] ?? 0) > 0x7f ? 1 : 0;
  if (firstDigit < 0 || digits + signOctet > 20)
    throw new PkiError('serial_number_invalid', 'a serial number is positive, up to 20 octets');
}
