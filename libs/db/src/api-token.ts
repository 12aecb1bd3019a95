import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DbError } from './error.ts';

/** The parts of an API key's token, `sf_<prefix>_<secret>`. */
export interface ApiToken {
  readonly token: string;
  /** Public; finds the row. */
  readonly prefix: string;
  readonly secretHash: Buffer;
}

// 40 bits of prefix, 256 bits of secret in base64url.
const shape = /^sf_([0-9a-f]{10})_([A-Za-z0-9_-]{43})$/;

/**
 * The secret is 256 random bits and not a password: nobody can try its values out, so that a plain
 * SHA-256 protects it at rest as well as a slow hash would, without the cost on every request.
 */
function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Random bytes in a token: 5 of prefix, 32 of secret. */
const SEED_BYTES = 37;

/**
 * A new token. It is shown once and cannot be had from what is stored. `seed` (37 bytes) makes the
 * same token again; it is as secret as the token.
 */
export function newApiToken(seed: Uint8Array = randomBytes(SEED_BYTES)): ApiToken {
  if (seed.length !== SEED_BYTES) {
    throw new DbError('invalid_input', `the seed of a token has ${SEED_BYTES} bytes`);
  }
  const prefix = Buffer.from(seed.subarray(0, 5)).toString('hex');
  const secret = Buffer.from(seed.subarray(5)).toString('base64url');
  return { token: `sf_${prefix}_${secret}`, prefix, secretHash: hashSecret(secret) };
}

/** The parts of a token, or undefined if it is none. */
export function parseApiToken(token: string): Omit<ApiToken, 'token'> | undefined {
  const match = shape.exec(token);
  const [, prefix, secret] = match ?? [];
  if (prefix === undefined || secret === undefined) return undefined;
  return { prefix, secretHash: hashSecret(secret) };
}

/** Whether two hashes of secrets are equal, in a time that does not tell where they differ. */
export function sameSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
