import { createUser, getUser, listUsers } from '@signfleet/db';
import type { App, Dependencies } from '../app.ts';
import { actorOf, callerOf } from '../authentication.ts';
import { defined } from '../defined.ts';
import { idempotencyOf } from '../idempotency.ts';
import { pageRequest, presentPage } from '../page.ts';
import { presentUser } from '../presenters/user.ts';
import { idParams, page } from '../schemas/primitives.ts';
import { idempotencyHeaders, problemResponses } from '../schemas/problem.ts';
import { newUser, user, userQuery } from '../schemas/user.ts';

const tags = ['users'];

/** The people and roles in whose name documents are signed. */
export function userRoutes(app: App, dependencies: Dependencies): void {
  createRoute(app, dependencies);
  readRoutes(app, dependencies);
}

function createRoute(app: App, { db }: Dependencies): void {
  app.post(
    '/v1/users',
    {
      config: { access: 'users:write' },
      schema: {
        tags,
        summary: 'Create a user',
        headers: idempotencyHeaders,
        body: newUser,
        response: { 201: user, ...problemResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { resource } = await createUser(db, {
        tenantId: caller.tenantId,
        actor: actorOf(caller),
        user: defined(request.body),
        ...idempotencyOf(request, caller),
      });
      return reply
        .code(201)
        .header('location', `/v1/users/${resource.id}`)
        .send(presentUser(resource));
    },
  );
}

function readRoutes(app: App, { db }: Dependencies): void {
  app.get(
    '/v1/users',
    {
      config: { access: 'users:read' },
      schema: {
        tags,
        summary: 'List users, newest first',
        querystring: userQuery,
        response: { 200: page(user), ...problemResponses },
      },
    },
    async (request) => {
      const { externalId } = request.query;
      const rows = await listUsers(db, {
        tenantId: callerOf(request).tenantId,
        filter: defined({ externalId }),
        ...pageRequest(request.query),
      });
      return presentPage(rows, presentUser);
    },
  );
  app.get(
    '/v1/users/:id',
    {
      config: { access: 'users:read' },
      schema: {
        tags,
        summary: 'Read a user',
        params: idParams,
        response: { 200: user, ...problemResponses },
      },
    },
    async (request) => {
      const { tenantId } = callerOf(request);
      return presentUser(await getUser(db, { tenantId, id: request.params.id }));
    },
  );
}
