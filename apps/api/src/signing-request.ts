import { newId, type Caller, type SigningRequest } from '@signfleet/db';
import { defined } from './defined.ts';
import { ApiError, notFound } from './errors.ts';
import type { ObjectPolicy } from './object-policy.ts';
import type { NewSigningBody } from './schemas/signing.ts';
import type { SigningKeys } from './signing-keys.ts';

/**
 * What the database is asked to accept for one submission: the key chosen, the destination named,
 * the objects allowed.
 *
 * @throws {ApiError} `not_found` for a key that the caller may not use, whatever the reason;
 * `key_not_active`, `object_not_allowed`, `destination_is_source`
 */
export function signingRequest(
  body: NewSigningBody,
  context: { caller: Caller; keys: SigningKeys; policy: ObjectPolicy },
): SigningRequest {
  const { caller, keys, policy } = context;
  const { source, reason, location, contactInfo, fieldName, metadata } = body;
  const chosen = keys.choose(body);
  if (chosen === undefined) throw notFound();
  if (chosen.state !== 'active') {
    throw new ApiError('key_not_active', `The state of the key is ${chosen.state}`);
  }
  const id = newId('sig');
  const destination = body.destination ?? policy.resultLocation(caller.tenantId, source, id);
  policy.assertAllowed(caller.tenantId, source);
  policy.assertAllowed(caller.tenantId, destination);
  const same = source.bucket === destination.bucket && source.key === destination.key;
  if (same && source.versionId === undefined) {
    throw new ApiError(
      'destination_is_source',
      'Name another destination, or the version of the source in source.versionId',
    );
  }
  return {
    id,
    keyId: chosen.id,
    source: defined(source),
    destination,
    ...defined({ reason, location, contactInfo, fieldName, metadata }),
  };
}
