import { createHash } from 'node:crypto';

import { HsmError } from './error.ts';

const version = 1;
const checksumBytes = 8;
const headerBytes = 1 + checksumBytes;

function checksum(blob: Uint8Array): Buffer {
  return createHash('sha256').update(blob).digest().subarray(0, checksumBytes);
}

/**
 * What a key record stores for the HSM's wrapped blob: version ‖ checksum ‖ blob. The checksum is
 * no protection, the record's binding is; it tells damage (restore a backup) from a swap (an attack).
 */
export function frameWrappedKey(blob: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.from([version]), checksum(blob), blob]));
}

export function isWrappedKeyIntact(framed: Uint8Array): boolean {
  return (
    framed.length > headerBytes &&
    framed[0] === version &&
    checksum(framed.subarray(headerBytes)).equals(framed.subarray(1, headerBytes))
  );
}

/** The blob for C_UnwrapKey. @throws HsmError `wrapped_key_damaged`. */
export function unframeWrappedKey(framed: Uint8Array): Buffer {
  if (!isWrappedKeyIntact(framed))
    throw new HsmError('wrapped_key_damaged', 'the wrapped key fails its checksum');
  return Buffer.from(framed.subarray(headerBytes));
}
