import { createApiKey, DbError, listApiKeys, revokeApiKey, type ApiKey } from '@signfleet/db';
import type { z } from 'zod';
import type { App, Dependencies } from '../app.ts';
import { actorOf, callerOf } from '../authentication.ts';
import { defined } from '../defined.ts';
import { ApiError } from '../errors.ts';
import { idempotencyOf } from '../idempotency.ts';
import { pageRequest, presentPage } from '../page.ts';
import { toOptionalTime, toTime } from '../presenters/time.ts';
import { apiKey, createdApiKey, newApiKey } from '../schemas/access.ts';
import { idParams, page, listQuery } from '../schemas/primitives.ts';
import { idempotencyHeaders, noContent, problemResponses } from '../schemas/problem.ts';

const tags = ['access'];
const config = { access: 'admin' } as const;

function present(row: ApiKey): z.output<typeof apiKey> {
  const { id, name, prefix, scopes } = row;
  return {
    id,
    name,
    prefix,
    scopes,
    expiresAt: toOptionalTime(row.expiresAt),
    revokedAt: toOptionalTime(row.revokedAt),
    createdAt: toTime(row.createdAt),
  };
}

/** The credentials of callers. */
export function apiKeyRoutes(app: App, dependencies: Dependencies): void {
  createRoute(app, dependencies);
  listRoute(app, dependencies);
  revokeRoute(app, dependencies);
}

function createRoute(app: App, { db, makeSecret }: Dependencies): void {
  app.post(
    '/v1/api-keys',
    {
      config,
      schema: {
        tags,
        summary: 'Create an API key; its token is shown in this answer only',
        headers: idempotencyHeaders,
        body: newApiKey,
        response: { 201: createdApiKey, ...problemResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { name, scopes } = request.body;
      const expiresAt = expiryOf(request.body.expiresAt);
      const { idempotency } = idempotencyOf(request, caller);
      const { tenantId } = caller;
      const created = await createApiKey(db, {
        tenantId,
        actor: actorOf(caller),
        apiKey: { name, scopes, ...defined({ expiresAt }) },
        tokenSeed: makeSecret({ purpose: 'api key', tenantId, idempotency, length: 37 }),
        ...defined({ idempotency }),
      });
      const asCreated = { ...present(created.apiKey), revokedAt: null };
      return reply.code(201).send({ ...asCreated, token: created.token });
    },
  );
}

function expiryOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const expiresAt = new Date(text);
  if (expiresAt > new Date()) return expiresAt;
  const detail = 'This time is in the past';
  throw new ApiError('invalid_request', '1 invalid field: see errors', {
    errors: [{ pointer: '/expiresAt', in: 'body', code: 'invalid_value', detail }],
  });
}

function listRoute(app: App, { db }: Dependencies): void {
  app.get(
    '/v1/api-keys',
    {
      config,
      schema: {
        tags,
        summary: 'List API keys, newest first',
        querystring: listQuery,
        response: { 200: page(apiKey), ...problemResponses },
      },
    },
    async (request) => {
      const { tenantId } = callerOf(request);
      return presentPage(
        await listApiKeys(db, { tenantId, ...pageRequest(request.query) }),
        present,
      );
    },
  );
}

function revokeRoute(app: App, { db }: Dependencies): void {
  app.delete(
    '/v1/api-keys/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Revoke an API key at once',
        params: idParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { id } = request.params;
      if (id === caller.apiKeyId) {
        throw new ApiError('own_key', 'Revoke it with another administrator key');
      }
      await revokeApiKey(db, { tenantId: caller.tenantId, actor: actorOf(caller), id }).catch(
        (error: unknown) => {
          const already = error instanceof DbError && error.code === 'invalid_state';
          if (!already) throw error;
        },
      );
      return reply.code(204).send(null);
    },
  );
}
