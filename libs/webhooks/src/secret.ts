import { randomBytes } from 'node:crypto';
import { WebhooksError } from './error.ts';

const prefix = 'whsec_';
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A new signing secret: `whsec_` and the base64 of 32 random bytes. */
export function generateSecret(): string {
  return prefix + randomBytes(32).toString('base64');
}

/**
 * The HMAC key of a signing secret (Standard Webhooks, "Signature scheme": 24 to 64 bytes).
 * Throws {@link WebhooksError} `secret_invalid`.
 */
export function parseSecret(secret: string): Buffer {
  const encoded = secret.startsWith(prefix) ? secret.slice(prefix.length) : '';
  const key = base64.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.alloc(0);
  if (key.length >= 24 && key.length <= 64) return key;
  throw new WebhooksError('secret_invalid', 'a secret is whsec_ and the base64 of 24 to 64 bytes');
}
