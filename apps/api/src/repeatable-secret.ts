import { hkdfSync, randomBytes } from 'node:crypto';
import type { Idempotency } from '@signfleet/db';

/** What a secret is for: secrets of different purposes never coincide. */
export type SecretPurpose = 'api key' | 'webhook endpoint';

/** Makes the random part of a new secret. */
export type MakeSecret = (o: {
  readonly purpose: SecretPurpose;
  readonly tenantId: string;
  readonly idempotency?: Idempotency | undefined;
  /** Length in bytes. */
  readonly length: number;
}) => Uint8Array;

/**
 * Secrets are shown once and kept hashed or sealed, and yet a repeated request must get the same
 * answer. So a request with an Idempotency-Key gets a secret derived (RFC 5869) from the
 * installation's key and the request, which the repetition derives again; any other a random one.
 */
export function secretMaker(installationKey: Uint8Array): MakeSecret {
  return ({ purpose, tenantId, idempotency, length }) => {
    if (idempotency === undefined) return randomBytes(length);
    const info = [purpose, tenantId, idempotency.key, hex(idempotency.requestHash)].join('\n');
    return new Uint8Array(
      hkdfSync('sha256', installationKey, 'signfleet repeatable secret v1', info, length),
    );
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
