import { createHash, createPublicKey, verify } from 'node:crypto';

import { keyAlgorithmOf, type KeyAlgorithm, type Signer } from '@signfleet/pki';

import { HsmError, type HsmErrorCode } from './error.ts';
import { isWrappedKeyIntact } from './wrapped-key.ts';

/** A user's key as the database holds it. Useless without the HSM that holds its KEK. */
export interface WrappedKeyRecord {
  readonly tenantId: string;
  readonly userId: string;
  readonly keyId: string;
  readonly algorithm: KeyAlgorithm;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** CKA_ID of the KEK, in hex. */
  readonly keyEncryptionKeyId: string;
  readonly wrappedKey: Uint8Array;
  /** The binding message as signed at enrolment, with its signature: length ‖ message ‖ signature. */
  readonly bindingSignature: Uint8Array;
}

export type UnboundKeyRecord = Omit<WrappedKeyRecord, 'bindingSignature'>;

const domain = 'signfleet key record v1';

/** The fields of the binding message in order, with the code for a row that differs in one. */
const fields: readonly {
  readonly name: keyof UnboundKeyRecord;
  readonly bytes: (record: UnboundKeyRecord) => Uint8Array;
  readonly mismatch: HsmErrorCode;
}[] = [
  { name: 'tenantId', bytes: (record) => utf8(record.tenantId), mismatch: 'binding_mismatch' },
  { name: 'userId', bytes: (record) => utf8(record.userId), mismatch: 'binding_mismatch' },
  { name: 'keyId', bytes: (record) => utf8(record.keyId), mismatch: 'binding_mismatch' },
  { name: 'algorithm', bytes: (record) => utf8(record.algorithm), mismatch: 'binding_mismatch' },
  {
    name: 'keyEncryptionKeyId',
    bytes: (record) => utf8(record.keyEncryptionKeyId),
    mismatch: 'key_encryption_key_mismatch',
  },
  {
    name: 'publicKey',
    bytes: (record) => sha256(record.publicKey),
    mismatch: 'public_key_mismatch',
  },
  {
    name: 'wrappedKey',
    bytes: (record) => sha256(record.wrappedKey),
    mismatch: 'wrapped_key_mismatch',
  },
];

function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

function lengthPrefixed(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/**
 * What the enrolment key signs: the domain, then each field with its length before it, so that no
 * two records have the same message. Public key and wrapped key stand as their SHA-256.
 */
export function bindingMessage(record: UnboundKeyRecord): Uint8Array {
  return Buffer.concat(
    [utf8(domain), ...fields.map(({ bytes }) => bytes(record))].map(lengthPrefixed),
  );
}

export async function bindKeyRecord(
  record: UnboundKeyRecord,
  enrolmentSigner: Signer,
): Promise<WrappedKeyRecord> {
  const message = bindingMessage(record);
  const signature = await enrolmentSigner.sign(message);
  return {
    ...record,
    bindingSignature: new Uint8Array(Buffer.concat([lengthPrefixed(message), signature])),
  };
}

function invalid(message: string, cause?: unknown): HsmError {
  return new HsmError('binding_invalid', message, { cause });
}

function readLengthPrefixed(bytes: Buffer): { readonly value: Buffer; readonly rest: Buffer } {
  const end = bytes.length < 4 ? Infinity : 4 + bytes.readUInt32BE();
  if (end > bytes.length) throw invalid('the binding of the key record is cut short');
  return { value: bytes.subarray(4, end), rest: bytes.subarray(end) };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// Reached only when the record already is refused: names what was changed since enrolment.
function mismatch(signed: Buffer, record: WrappedKeyRecord): HsmError {
  let { rest } = readLengthPrefixed(signed);
  for (const field of fields) {
    const read = readLengthPrefixed(rest);
    rest = read.rest;
    if (read.value.equals(field.bytes(record))) continue;
    const damaged = field.name === 'wrappedKey' && !isWrappedKeyIntact(record.wrappedKey);
    return new HsmError(
      damaged ? 'wrapped_key_damaged' : field.mismatch,
      `the key record's ${field.name} is not the one bound at enrolment`,
      { details: { field: field.name } },
    );
  }
  return invalid('the binding is of another version');
}

/**
 * A check of key records against the pinned enrolment public key (DER SubjectPublicKeyInfo, P-256).
 * It throws HsmError `binding_invalid` if the enrolment key did not sign the binding, and
 * `binding_mismatch` (owner or algorithm), `public_key_mismatch`, `wrapped_key_mismatch`,
 * `wrapped_key_damaged` or `key_encryption_key_mismatch` if it did but for other content.
 */
export function bindingVerifier(
  enrolmentPublicKey: Uint8Array,
): (record: WrappedKeyRecord) => void {
  if (keyAlgorithmOf(enrolmentPublicKey) !== 'P-256')
    throw invalid('the enrolment public key is not of P-256');
  const key = createPublicKey({ key: asBuffer(enrolmentPublicKey), format: 'der', type: 'spki' });
  return (record) => {
    const { value: signed, rest: signature } = readLengthPrefixed(
      asBuffer(record.bindingSignature),
    );
    if (!verify('sha256', signed, { key, dsaEncoding: 'der' }, signature))
      throw invalid('the key record was not bound by the enrolment key');
    if (!signed.equals(bindingMessage(record))) throw mismatch(signed, record);
  };
}
