import {
  createSigning,
  findIdempotentResource,
  getSigning,
  type Caller,
  type Database,
  type Idempotency,
  type Signing,
} from '@signfleet/db';
import { defined } from './defined.ts';
import type { ObjectPolicy } from './object-policy.ts';
import type { NewSigningBody } from './schemas/signing.ts';
import { findSigningKeys } from './signing-keys.ts';
import { signingRequest } from './signing-request.ts';

/**
 * Accepts a document, once. A repetition is looked for first: it is answered as before even if the
 * key can no longer sign, or is no longer its user's newest.
 *
 * @throws {ApiError} see signingRequest
 * @throws {DbError} see createSigning
 */
export async function submitOnce(
  body: NewSigningBody,
  context: {
    readonly db: Database;
    readonly caller: Caller;
    readonly policy: ObjectPolicy;
    readonly idempotency?: Idempotency | undefined;
  },
): Promise<Signing> {
  const { db, caller, policy } = context;
  const { tenantId, apiKeyId } = caller;
  const submission = { tenantId, apiKeyId, ...defined({ idempotency: context.idempotency }) };
  const earlier = await findIdempotentResource(db, submission);
  if (earlier !== undefined) return getSigning(db, { tenantId, id: earlier });
  const keys = await findSigningKeys(db, caller, [body]);
  const request = signingRequest(body, { caller, keys, policy });
  const { resource } = await createSigning(db, { ...submission, request });
  return resource;
}
