import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { WebhooksError } from './error.ts';
import { parseSecret } from './secret.ts';

/** The AES-256 key under which signing secrets rest in the database. */
export type SealingKey = KeyObject;

const format = 1;
const ivBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + ivBytes + tagBytes;

/**
 * Reads the content of WEBHOOK_SECRET_KEY_FILE: 32 bytes in hex or base64, white space around it
 * ignored. Throws {@link WebhooksError} `sealing_key_invalid`.
 */
export function parseSealingKey(text: string): SealingKey {
  const encoded = text.trim();
  const isHex = /^[0-9a-fA-F]{64}$/.test(encoded);
  const isBase64 = /^[A-Za-z0-9+/_-]{43}=?$/.test(encoded);
  const key = Buffer.from(encoded, isHex ? 'hex' : 'base64');
  if ((isHex || isBase64) && key.length === 32) return createSecretKey(key);
  throw new WebhooksError('sealing_key_invalid', 'the key is not 32 bytes in hex or base64');
}

/** Bound to its endpoint: moved to another row, a sealed secret does not open. */
function associatedData(endpointId: string): Buffer {
  return Buffer.from(`signfleet webhook secret v1\0${endpointId}`, 'utf8');
}

/**
 * Encrypts a signing secret with AES-256-GCM for storage: format byte 1, 12 bytes IV, 16 bytes tag,
 * ciphertext. Throws {@link WebhooksError} `secret_invalid`.
 */
export function sealSecret(o: {
  readonly secret: string;
  readonly endpointId: string;
  readonly key: SealingKey;
}): Uint8Array {
  parseSecret(o.secret);
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', o.key, iv, { authTagLength: tagBytes });
  cipher.setAAD(associatedData(o.endpointId));
  const ciphertext = Buffer.concat([cipher.update(o.secret, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(format), iv, cipher.getAuthTag(), ciphertext]);
}

/** Reverses {@link sealSecret}. Throws {@link WebhooksError} `sealed_secret_invalid`. */
export function openSecret(o: {
  readonly sealed: Uint8Array;
  readonly endpointId: string;
  readonly key: SealingKey;
}): string {
  const sealed = Buffer.from(o.sealed);
  if (sealed.length < headerBytes || sealed[0] !== format) {
    throw new WebhooksError('sealed_secret_invalid', 'the sealed secret has an unknown format');
  }
  const iv = sealed.subarray(1, 1 + ivBytes);
  const decipher = createDecipheriv('aes-256-gcm', o.key, iv, { authTagLength: tagBytes });
  decipher.setAAD(associatedData(o.endpointId));
  decipher.setAuthTag(sealed.subarray(1 + ivBytes, headerBytes));
  try {
    const opened = decipher.update(sealed.subarray(headerBytes));
    return Buffer.concat([opened, decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new WebhooksError('sealed_secret_invalid', 'the secret cannot be opened with this key', {
      cause,
    });
  }
}
