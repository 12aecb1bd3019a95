import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AttributeTypeAndValue,
  AttributeValue,
  Name,
  RelativeDistinguishedName,
} from '@peculiar/asn1-x509';

import { PkiError } from './error.ts';

/** A subject as this project names it. */
export interface DistinguishedName {
  readonly commonName: string;
  readonly organization?: string;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country?: string;
  /** Goes to the subject alternative name, where RFC 5280 section 4.1.2.6 wants it, not to the DN. */
  readonly email?: string;
  /** X.520 serialNumber: what tells apart two subjects of one name. Not the certificate's. */
  readonly serialNumber?: string;
}

interface AttributeRule {
  readonly oid: string;
  readonly pattern: RegExp;
  readonly encode: (text: string) => AttributeValue;
}

const utf8 = (text: string): AttributeValue => new AttributeValue({ utf8String: text });
const printable = (text: string): AttributeValue => new AttributeValue({ printableString: text });

/**
 * In the order of encoding. Upper bounds and string types of RFC 5280 appendix A.1: UTF8String
 * where any script may occur, PrintableString where the attribute demands it.
 */
const rules = {
  country: { oid: '2.5.4.6', pattern: /^[A-Z]{2}$/, encode: printable },
  organization: { oid: '2.5.4.10', pattern: /^[^\p{Cc}\p{Cs}]{1,64}$/u, encode: utf8 },
  commonName: { oid: '2.5.4.3', pattern: /^[^\p{Cc}\p{Cs}]{1,64}$/u, encode: utf8 },
  serialNumber: { oid: '2.5.4.5', pattern: /^[A-Za-z0-9 '()+,\-./:=?]{1,64}$/, encode: printable },
} as const satisfies Readonly<Partial<Record<keyof DistinguishedName, AttributeRule>>>;

/** An rfc822Name is an ASCII mailbox without display name (RFC 5280 section 4.2.1.6). */
const mailbox = /^[!#$%&'*+\-/=?^_`{|}~A-Za-z0-9.]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,253}$/;

function refuse(field: keyof DistinguishedName): never {
  throw new PkiError('distinguished_name_invalid', `${field} cannot be put in a certificate`, {
    details: { field },
  });
}

/**
 * The DER Name of a subject, without its e-mail address.
 *
 * @throws PkiError `distinguished_name_invalid`, with the field in `details`.
 */
export function encodeDistinguishedName(subject: DistinguishedName): Uint8Array {
  const attributes: RelativeDistinguishedName[] = [];
  for (const [field, rule] of Object.entries(rules) as [keyof typeof rules, AttributeRule][]) {
    const text = subject[field];
    if (text === undefined) continue;
    if (!rule.pattern.test(text) || text.trim() === '') refuse(field);
    attributes.push(
      new RelativeDistinguishedName([
        new AttributeTypeAndValue({ type: rule.oid, value: rule.encode(text) }),
      ]),
    );
  }
  return new Uint8Array(AsnConvert.serialize(new Name(attributes)));
}

/**
 * The subject's e-mail address, if it has one that a certificate can carry.
 *
 * @throws PkiError `distinguished_name_invalid`.
 */
export function certificateEmail({ email }: DistinguishedName): string | undefined {
  return email === undefined || mailbox.test(email) ? email : refuse('email');
}

/** Short names for display; those of RFC 4514 section 3 and customary ones. */
const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.42': 'GN',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

function escapeValue(text: string): string {
  return text
    .replace(/[\\",+;<>]/g, (special) => `\\${special}`)
    .replace(/\p{Cc}/gu, (control) => `\\${Buffer.from(control).toString('hex')}`)
    .replace(/^[ #]|(?<!\\) $/g, (edge) => `\\${edge}`);
}

/** A parsed Name as text (RFC 4514): most specific first. */
export function formatDistinguishedName(name: Name): string {
  return [...name]
    .reverse()
    .map((relative) =>
      [...relative]
        .map(({ type, value }) => `${shortNames[type] ?? type}=${escapeValue(value.toString())}`)
        .join('+'),
    )
    .join(',');
}
