import { createGrant, deleteGrant, listGrants, type Grant } from '@signfleet/db';
import type { z } from 'zod';
import type { App, Dependencies } from '../app.ts';
import { actorOf, callerOf } from '../authentication.ts';
import { defined } from '../defined.ts';
import { idempotencyOf } from '../idempotency.ts';
import { pageRequest, presentPage } from '../page.ts';
import { toTime } from '../presenters/time.ts';
import { grant, grantQuery, newGrant } from '../schemas/access.ts';
import { idParams, page } from '../schemas/primitives.ts';
import { idempotencyHeaders, noContent, problemResponses } from '../schemas/problem.ts';

const tags = ['access'];
const config = { access: 'admin' } as const;

function present(row: Grant): z.output<typeof grant> {
  const { id, apiKeyId, userId, keyId } = row;
  const allKeys = userId === null && keyId === null;
  return { id, apiKeyId, userId, keyId, allKeys, createdAt: toTime(row.createdAt) };
}

/** Which API key may sign with which keys. */
export function grantRoutes(app: App, dependencies: Dependencies): void {
  giveGrant(app, dependencies);
  listRoute(app, dependencies);
  withdrawGrant(app, dependencies);
}

function giveGrant(app: App, { db }: Dependencies): void {
  app.post(
    '/v1/grants',
    {
      config,
      schema: {
        tags,
        summary: 'Let an API key sign with one key, with a user’s keys, or with all',
        description: 'The same grant given twice is one grant.',
        headers: idempotencyHeaders,
        body: newGrant,
        response: { 201: grant, ...problemResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { apiKeyId, userId, keyId } = request.body;
      const created = await createGrant(db, {
        tenantId: caller.tenantId,
        actor: actorOf(caller),
        apiKeyId,
        ...defined({ userId, keyId }),
        ...idempotencyOf(request, caller),
      });
      return reply.code(201).send(present(created));
    },
  );
}

function listRoute(app: App, { db }: Dependencies): void {
  app.get(
    '/v1/grants',
    {
      config,
      schema: {
        tags,
        summary: 'List grants',
        querystring: grantQuery,
        response: { 200: page(grant), ...problemResponses },
      },
    },
    async (request) => {
      const { apiKeyId } = request.query;
      const rows = await listGrants(db, {
        tenantId: callerOf(request).tenantId,
        filter: defined({ apiKeyId }),
        ...pageRequest(request.query),
      });
      return presentPage(rows, present);
    },
  );
}

function withdrawGrant(app: App, { db }: Dependencies): void {
  app.delete(
    '/v1/grants/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Withdraw a grant at once',
        params: idParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { tenantId } = caller;
      await deleteGrant(db, { tenantId, actor: actorOf(caller), id: request.params.id });
      return reply.code(204).send(null);
    },
  );
}
