import { CKM } from './constants.ts';
import { HsmError } from './error.ts';
import type { Mechanism, TokenInfo } from './cryptoki.ts';

/** What differs between makers of HSMs, as data. */
export interface VendorProfile {
  readonly name: string;
  /** Matches CK_TOKEN_INFO's manufacturer. */
  readonly manufacturer: RegExp;
  /** For wrapping, in order of preference; the token must list it. */
  readonly wrapMechanisms: readonly number[];
  /** What C_UnwrapKey returns here for a blob that was not made by this KEK. */
  readonly unwrapRejections: readonly string[];
}

const standardRejections = [
  'CKR_WRAPPED_KEY_INVALID',
  'CKR_WRAPPED_KEY_LEN_RANGE',
  'CKR_ENCRYPTED_DATA_INVALID',
  'CKR_ENCRYPTED_DATA_LEN_RANGE',
];

const profiles: readonly VendorProfile[] = [
  {
    name: 'softhsm2',
    manufacturer: /^SoftHSM/,
    // It cannot unwrap CKM_AES_CBC_PAD, and reports a failed integrity check as a general error.
    wrapMechanisms: [CKM.aesKeyWrapPad],
    unwrapRejections: [...standardRejections, 'CKR_GENERAL_ERROR', 'CKR_FUNCTION_FAILED'],
  },
  {
    name: 'opencryptoki',
    manufacturer: /^IBM/,
    // No integrity of its own: the record's binding signature is what protects the blob.
    wrapMechanisms: [CKM.aesCbcPad],
    unwrapRejections: [...standardRejections, 'CKR_FUNCTION_FAILED'],
  },
  {
    name: 'generic',
    manufacturer: /(?:)/,
    wrapMechanisms: [CKM.aesKeyWrapPad, CKM.aesCbcPad],
    unwrapRejections: standardRejections,
  },
];

/** The row for a token; the last one fits any. */
export function vendorProfileOf(info: TokenInfo): VendorProfile {
  const profile = profiles.find(({ manufacturer }) => manufacturer.test(info.manufacturer));
  if (profile === undefined) throw new HsmError('mechanism_unsupported', 'no vendor profile fits');
  return profile;
}

// A fixed IV is sound here: the blocks in which two wrapped keys agree are the public header of
// PKCS#8, and no plaintext is ever wrapped that an outsider chose.
const mechanismParameters: Readonly<Record<number, Buffer>> = {
  [CKM.aesCbcPad]: Buffer.alloc(16),
};

/** @throws HsmError `mechanism_unsupported` if the token lists none of the profile's. */
export function wrapMechanismOf(profile: VendorProfile, supported: readonly number[]): Mechanism {
  const mechanism = profile.wrapMechanisms.find((candidate) => supported.includes(candidate));
  if (mechanism === undefined)
    throw new HsmError('mechanism_unsupported', 'the token has no usable key wrap mechanism', {
      details: { profile: profile.name },
    });
  const parameter = mechanismParameters[mechanism];
  return parameter === undefined ? { mechanism } : { mechanism, parameter };
}
