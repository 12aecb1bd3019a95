import { createHash } from 'node:crypto';
import type { Caller, Idempotency } from '@signfleet/db';
import type { FastifyRequest } from 'fastify';

/** JSON text in which the members of every object are sorted by name. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/**
 * The Idempotency-Key of a request with the hash of what it asks for: the parsed body, so that
 * white space and the order of members do not matter. Two callers never share a key.
 */
export function idempotencyOf(
  request: FastifyRequest,
  caller: Caller,
): { idempotency?: Idempotency } {
  const header = request.headers['idempotency-key'];
  if (typeof header !== 'string') return {};
  const requestHash = createHash('sha256')
    .update(`${request.method} ${request.routeOptions.url ?? ''}\n`)
    .update(canonicalJson(request.body))
    .digest();
  return { idempotency: { key: `${caller.apiKeyId}:${header}`, requestHash } };
}
