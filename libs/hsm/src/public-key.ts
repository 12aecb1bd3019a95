import { createPublicKey } from 'node:crypto';

import { algorithmFacts, keyAlgorithms, type KeyAlgorithm } from '@signfleet/pki';

import { CKA, CKK } from './constants.ts';
import type { Cryptoki, Handle } from './cryptoki.ts';
import { HsmError } from './error.ts';

const octetStringTag = 0x04;
const uncompressed = 0x04;

// CKA_EC_POINT is a DER OCTET STRING around the point; some tokens leave the wrapping out.
function ecPoint(value: Buffer, fieldBytes: number): { readonly x: Buffer; readonly y: Buffer } {
  const length = 1 + 2 * fieldBytes;
  const point = value.subarray(value.length - length);
  const bare = value.length === length;
  const wrapped = value.length === length + 2 && value[0] === octetStringTag;
  if ((!bare && !wrapped) || point[0] !== uncompressed)
    throw new HsmError('device_error', 'the HSM returned a malformed CKA_EC_POINT');
  return { x: point.subarray(1, 1 + fieldBytes), y: point.subarray(1 + fieldBytes) };
}

function unpadded(integer: Buffer): Buffer {
  const first = integer.findIndex((byte) => byte !== 0);
  return integer.subarray(Math.max(first, 0));
}

/** Reads a public key object as DER SubjectPublicKeyInfo. */
export function readPublicKey(
  cryptoki: Cryptoki,
  session: Handle,
  o: { readonly key: Handle; readonly algorithm: KeyAlgorithm },
): Uint8Array {
  const { namedCurve } = algorithmFacts[o.algorithm];
  const read = (type: number): Buffer => cryptoki.attribute(session, o.key, type);
  let jwk: Record<string, string>;
  if (namedCurve === undefined) {
    const integer = (type: number): string => unpadded(read(type)).toString('base64url');
    jwk = { kty: 'RSA', n: integer(CKA.modulus), e: integer(CKA.publicExponent) };
  } else {
    const { x, y } = ecPoint(read(CKA.ecPoint), namedCurve === 'P-256' ? 32 : 48);
    jwk = { kty: 'EC', crv: namedCurve, x: x.toString('base64url'), y: y.toString('base64url') };
  }
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}

/**
 * Which algorithm a public key object is of.
 *
 * @throws HsmError `mechanism_unsupported` if it is of none that signfleet knows.
 */
export function readKeyAlgorithm(cryptoki: Cryptoki, session: Handle, key: Handle): KeyAlgorithm {
  const keyType = cryptoki.attribute(session, key, CKA.keyType).readUInt32LE();
  const rsa = keyType === CKK.rsa;
  const parameter = cryptoki.attribute(session, key, rsa ? CKA.modulus : CKA.ecParams);
  const found = keyAlgorithms.find((name) => {
    const { modulusBits, curveOidDer } = algorithmFacts[name];
    return rsa
      ? modulusBits === 8 * unpadded(parameter).length
      : curveOidDer !== undefined && parameter.equals(curveOidDer);
  });
  if (found === undefined)
    throw new HsmError('mechanism_unsupported', 'the key is of no supported algorithm');
  return found;
}
