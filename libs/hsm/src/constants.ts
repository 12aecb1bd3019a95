/** The constants of PKCS#11 v3.1 (pkcs11t.h) that this library uses. */

export const CKO = { data: 0, certificate: 1, publicKey: 2, privateKey: 3, secretKey: 4 } as const;

export const CKK = { rsa: 0x00, ec: 0x03, aes: 0x1f } as const;

export const CKA = {
  class: 0x000,
  token: 0x001,
  private: 0x002,
  label: 0x003,
  trusted: 0x086,
  checkValue: 0x090,
  keyType: 0x100,
  id: 0x102,
  sensitive: 0x103,
  encrypt: 0x104,
  decrypt: 0x105,
  wrap: 0x106,
  unwrap: 0x107,
  sign: 0x108,
  signRecover: 0x109,
  verify: 0x10a,
  derive: 0x10c,
  modulus: 0x120,
  modulusBits: 0x121,
  publicExponent: 0x122,
  value: 0x011,
  valueLength: 0x161,
  extractable: 0x162,
  local: 0x163,
  neverExtractable: 0x164,
  alwaysSensitive: 0x165,
  modifiable: 0x170,
  copyable: 0x171,
  ecParams: 0x180,
  ecPoint: 0x181,
  unwrapTemplate: 0x40000212,
} as const;

export const CKM = {
  rsaPkcsKeyPairGen: 0x0000,
  rsaPkcs: 0x0001,
  ecKeyPairGen: 0x1040,
  ecdsa: 0x1041,
  aesKeyGen: 0x1080,
  aesEcb: 0x1081,
  aesCbcPad: 0x1085,
  aesKeyWrapPad: 0x210a,
} as const;

export const CKF = { osLockingOk: 0x2, readWriteSession: 0x2, serialSession: 0x4 } as const;

export const CKU = { user: 1 } as const;

/** States of a session in which the normal user is logged in (CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS). */
export const userStates: readonly number[] = [1, 3];
