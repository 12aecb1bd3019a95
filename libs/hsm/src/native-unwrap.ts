import koffi from 'koffi';

import { CKA } from './constants.ts';
import { CKR, returnValueError } from './return-value.ts';
import { HsmError } from './error.ts';
import type { Handle, Mechanism } from './cryptoki.ts';

/** An attribute whose value may itself be a template (CKA_UNWRAP_TEMPLATE). */
export interface NestedAttribute {
  readonly type: number;
  readonly value: number | boolean | string | Buffer | readonly NestedAttribute[];
}

/** A CK_ATTRIBUTE array in native memory, and the buffers that its pointers point into. */
export interface NativeTemplate {
  readonly array: Buffer;
  readonly count: number;
  readonly values: readonly Buffer[];
}

// CK_ULONG and pointers of 8 bytes (LP64: Linux and macOS), as pkcs11js's handles are here.
const word = 8;
const attributeBytes = 3 * word;

function unsignedLong(value: number): Buffer {
  const buffer = Buffer.alloc(word);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

function scalar(value: number | boolean | string | Buffer): Buffer {
  if (typeof value === 'boolean') return Buffer.from([value ? 1 : 0]);
  if (typeof value === 'number') return unsignedLong(value);
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
}

// SoftHSM applies attributes in order and refuses those that come after CKA_MODIFIABLE=false.
function modifiableLast(template: readonly NestedAttribute[]): NestedAttribute[] {
  return [...template].sort(
    (one, other) => Number(one.type === CKA.modifiable) - Number(other.type === CKA.modifiable),
  );
}

/** Lays a template out as PKCS#11 reads it. Keep the result referenced while a call uses it. */
export function nativeTemplate(template: readonly NestedAttribute[]): NativeTemplate {
  const array = Buffer.alloc(attributeBytes * template.length);
  const values: Buffer[] = [];
  modifiableLast(template).forEach(({ type, value }, index) => {
    let bytes: Buffer;
    if (typeof value === 'object' && !Buffer.isBuffer(value)) {
      const inner = nativeTemplate(value);
      values.push(...inner.values);
      bytes = inner.array;
    } else bytes = scalar(value);
    values.push(bytes);
    array.writeBigUInt64LE(BigInt(type), index * attributeBytes);
    array.writeBigUInt64LE(koffi.address(bytes), index * attributeBytes + word);
    array.writeBigUInt64LE(BigInt(bytes.length), index * attributeBytes + 2 * word);
  });
  return { array, count: template.length, values };
}

export interface UnwrapRequest {
  readonly mechanism: Mechanism;
  readonly unwrappingKey: Handle;
  readonly wrappedKey: Buffer;
  readonly template: NativeTemplate;
}

export type NativeUnwrap = (session: Handle, request: UnwrapRequest) => Promise<Handle>;

function nativeMechanism(mechanism: Mechanism): {
  readonly bytes: Buffer;
  readonly parameter: Buffer;
} {
  const parameter = mechanism.parameter ?? Buffer.alloc(0);
  const bytes = Buffer.alloc(attributeBytes);
  bytes.writeBigUInt64LE(BigInt(mechanism.mechanism));
  if (parameter.length > 0) bytes.writeBigUInt64LE(koffi.address(parameter), word);
  bytes.writeBigUInt64LE(BigInt(parameter.length), 2 * word);
  return { bytes, parameter };
}

/**
 * C_UnwrapKey of a module that is loaded and initialized already, on a libuv thread. pkcs11js has
 * this call too, but cannot express CKA_UNWRAP_TEMPLATE's nested attributes and never frees the
 * template of an asynchronous call, which at one unwrapping a signature is 0.7 MB/s.
 *
 * @throws HsmError by the return value.
 */
export function nativeUnwrap(modulePath: string): NativeUnwrap {
  const unwrapKey = koffi
    .load(modulePath)
    .func('C_UnwrapKey', 'ulong', [
      'ulong',
      'void *',
      'ulong',
      'void *',
      'ulong',
      'void *',
      'ulong',
      'void *',
    ]);
  const inFlight = new Set<readonly unknown[]>();
  return (session, request) =>
    new Promise((resolve, reject) => {
      const out = Buffer.alloc(word);
      const mechanism = nativeMechanism(request.mechanism);
      const wrapped = request.wrappedKey;
      const kept = [mechanism, request, out];
      inFlight.add(kept);
      const done = (error: unknown, returnValue: number | bigint): void => {
        inFlight.delete(kept);
        if (error !== null && error !== undefined)
          reject(new HsmError('module_unavailable', 'C_UnwrapKey failed', { cause: error }));
        else if (Number(returnValue) === CKR.ok) resolve(out);
        else reject(returnValueError('C_UnwrapKey', Number(returnValue)));
      };
      try {
        unwrapKey.async(
          session.readBigUInt64LE(),
          mechanism.bytes,
          request.unwrappingKey.readBigUInt64LE(),
          wrapped,
          wrapped.length,
          request.template.array,
          request.template.count,
          out,
          done,
        );
      } catch (cause) {
        inFlight.delete(kept);
        // koffi takes up to 256 calls at a time.
        reject(new HsmError('out_of_resources', 'C_UnwrapKey could not be queued', { cause }));
      }
    });
}
