import { element, sequence } from './der.ts';
import { PkiError } from './error.ts';

/** From when until when, both included, to the second. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const utcTimeTag = 0x17;
const generalizedTimeTag = 0x18;

/** UTCTime through the year 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5). */
function encodeTime(time: Date): Uint8Array {
  const year = time.getUTCFullYear();
  if (!(year >= 1950 && year <= 9999))
    throw new PkiError('validity_invalid', 'a time of validity is out of range');
  const text = `${time.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return year < 2050
    ? element(utcTimeTag, Buffer.from(text.slice(2), 'latin1'))
    : element(generalizedTimeTag, Buffer.from(text, 'latin1'));
}

/**
 * DER Validity.
 *
 * @throws PkiError `validity_invalid` for times out of range or in the wrong order.
 */
export function encodeValidity({ notBefore, notAfter }: Validity): Uint8Array {
  const encoded = sequence(encodeTime(notBefore), encodeTime(notAfter));
  if (notBefore > notAfter)
    throw new PkiError('validity_invalid', 'validity ends before it starts');
  return encoded;
}
