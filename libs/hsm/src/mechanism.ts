import { algorithmFacts, ecdsaSignatureDer, type KeyAlgorithm } from '@signfleet/pki';

import { CKA, CKK, CKM } from './constants.ts';
import type { Mechanism, Template } from './cryptoki.ts';

/** Everything that PKCS#11 must be told about an algorithm. No code branches on its name. */
export interface SigningMechanism {
  readonly keyType: number;
  readonly generate: Mechanism;
  /** What C_GenerateKeyPair's public template says about size or curve. */
  readonly generateParameters: Template;
  /** The attributes that make up the public key. */
  readonly publicAttributes: readonly number[];
  readonly sign: Mechanism;
  /** What C_Sign takes, made of the message's digest. */
  readonly signInput: (digest: Uint8Array) => Buffer;
  /** Upper bound of what C_Sign returns, in bytes. */
  readonly signOutputBytes: number;
  /** From what C_Sign returns to what X.509 and CMS carry. */
  readonly encodeSignature: (raw: Uint8Array) => Uint8Array;
}

// DigestInfo's DER up to the digest (RFC 8017 section 9.2, note 1): CKM_RSA_PKCS does not add it.
const digestInfoSha256 = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const publicExponent = Buffer.from('010001', 'hex');

function rsa(modulusBits: number): SigningMechanism {
  return {
    keyType: CKK.rsa,
    generate: { mechanism: CKM.rsaPkcsKeyPairGen },
    generateParameters: [
      { type: CKA.modulusBits, value: modulusBits },
      { type: CKA.publicExponent, value: publicExponent },
    ],
    publicAttributes: [CKA.modulus, CKA.publicExponent],
    sign: { mechanism: CKM.rsaPkcs },
    signInput: (digest) => Buffer.concat([digestInfoSha256, digest]),
    signOutputBytes: modulusBits / 8,
    encodeSignature: (raw) => new Uint8Array(raw),
  };
}

function ec(namedCurve: 'P-256' | 'P-384', fieldBytes: number): SigningMechanism {
  return {
    keyType: CKK.ec,
    generate: { mechanism: CKM.ecKeyPairGen },
    generateParameters: [
      {
        type: CKA.ecParams,
        value: Buffer.from(algorithmFacts[namedCurve].curveOidDer ?? []),
      },
    ],
    publicAttributes: [CKA.ecParams, CKA.ecPoint],
    sign: { mechanism: CKM.ecdsa },
    signInput: (digest) => Buffer.from(digest),
    signOutputBytes: 2 * fieldBytes,
    encodeSignature: ecdsaSignatureDer,
  };
}

export const signingMechanisms: Readonly<Record<KeyAlgorithm, SigningMechanism>> = {
  'RSA-2048': rsa(2048),
  'RSA-3072': rsa(3072),
  'RSA-4096': rsa(4096),
  'P-256': ec('P-256', 32),
  'P-384': ec('P-384', 48),
};
