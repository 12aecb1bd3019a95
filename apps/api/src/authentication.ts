import type { Caller, Scope } from '@signfleet/db';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';

/** Finds the caller whose token it is, unless it is expired or revoked. */
export type FindCaller = (token: string) => Promise<Caller | null>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope a route needs, or `public` for the few that answer anybody. Every route has one. */
    access?: Scope | 'public';
  }
  interface FastifyRequest {
    /** Set once the request is authenticated. */
    caller: Caller | null;
  }
}

const bearer = /^Bearer ([\w-]{10,200})$/i;

export function hasScope(caller: Caller, scope: Scope): boolean {
  return caller.scopes.includes(scope) || caller.scopes.includes('admin');
}

/** The caller of an authenticated request. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new ApiError('unauthenticated', unauthenticated);
  return request.caller;
}

/** The caller's name in the audit log. */
export function actorOf(caller: Caller): string {
  return `api_key:${caller.apiKeyId}`;
}

const unauthenticated =
  'Send "Authorization: Bearer <API key>"; the key must exist and be neither expired nor revoked';

/**
 * Authenticates and checks the scope before the body is read. An unknown path is answered like a
 * known one to a stranger: 401, so that the routes cannot be told apart without a key.
 */
export function registerAuthentication(app: FastifyInstance, findCaller: FindCaller): void {
  app.decorateRequest('caller', null);
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined) {
      throw new Error(`route ${String(route.method)} ${route.url} does not say who may call it`);
    }
  });
  app.addHook('onRequest', async (request) => {
    const access = request.routeOptions.config.access;
    if (access === 'public') return;
    const token = bearer.exec(request.headers.authorization ?? '')?.[1];
    const caller = token === undefined ? null : await findCaller(token);
    if (caller === null) throw new ApiError('unauthenticated', unauthenticated);
    request.caller = caller;
    request.log = request.log.child({ tenantId: caller.tenantId, apiKeyId: caller.apiKeyId });
    if (access !== undefined && !hasScope(caller, access)) {
      throw new ApiError('scope_missing', `This API key lacks the scope ${access}`);
    }
  });
}
