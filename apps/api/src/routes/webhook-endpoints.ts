import {
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  getWebhookEndpoint,
  listWebhookEndpoints,
  newId,
  updateWebhookEndpoint,
  type WebhookEndpoint,
} from '@signfleet/db';
import type { z } from 'zod';
import type { App, Dependencies } from '../app.ts';
import { actorOf, callerOf } from '../authentication.ts';
import { defined } from '../defined.ts';
import { idempotencyOf } from '../idempotency.ts';
import { pageRequest, presentPage } from '../page.ts';
import { toTime } from '../presenters/time.ts';
import { idParams, listQuery, page } from '../schemas/primitives.ts';
import { idempotencyHeaders, noContent, problemResponses } from '../schemas/problem.ts';
import {
  createdWebhookEndpoint,
  newWebhookEndpoint,
  webhookEndpoint,
  webhookEndpointChange,
} from '../schemas/webhook-endpoint.ts';

const tags = ['webhooks'];

function present(row: WebhookEndpoint): z.output<typeof webhookEndpoint> {
  const { id, url, description, eventTypes, enabled } = row;
  return { id, url, description, eventTypes, enabled, createdAt: toTime(row.createdAt) };
}

/** Where the tenant's events are sent. */
export function webhookEndpointRoutes(app: App, dependencies: Dependencies): void {
  createRoute(app, dependencies);
  readRoutes(app, dependencies);
  changeRoute(app, dependencies);
  deleteRoute(app, dependencies);
}

function createRoute(app: App, { db, makeSecret, sealWebhookSecret }: Dependencies): void {
  app.post(
    '/v1/webhook-endpoints',
    {
      config: { access: 'webhooks:write' },
      schema: {
        tags,
        summary: 'Create an endpoint; its secret is shown in this answer only',
        headers: idempotencyHeaders,
        body: newWebhookEndpoint,
        response: { 201: createdWebhookEndpoint, ...problemResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { url, description, eventTypes } = request.body;
      const { tenantId } = caller;
      const { idempotency } = idempotencyOf(request, caller);
      const id = newId('whe');
      const random = makeSecret({ purpose: 'webhook endpoint', tenantId, idempotency, length: 32 });
      const secret = `whsec_${Buffer.from(random).toString('base64')}`;
      const { resource } = await createWebhookEndpoint(db, {
        tenantId,
        actor: actorOf(caller),
        endpoint: {
          id,
          url,
          eventTypes,
          sealedSecret: sealWebhookSecret(secret, id),
          ...defined({ description }),
        },
        ...defined({ idempotency }),
      });
      return reply
        .code(201)
        .header('location', `/v1/webhook-endpoints/${resource.id}`)
        .send({ ...present(resource), secret });
    },
  );
}

function readRoutes(app: App, { db }: Dependencies): void {
  const config = { access: 'webhooks:read' } as const;
  app.get(
    '/v1/webhook-endpoints',
    {
      config,
      schema: {
        tags,
        summary: 'List endpoints, newest first',
        querystring: listQuery,
        response: { 200: page(webhookEndpoint), ...problemResponses },
      },
    },
    async (request) => {
      const { tenantId } = callerOf(request);
      const rows = await listWebhookEndpoints(db, { tenantId, ...pageRequest(request.query) });
      return presentPage(rows, present);
    },
  );
  app.get(
    '/v1/webhook-endpoints/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Read an endpoint',
        params: idParams,
        response: { 200: webhookEndpoint, ...problemResponses },
      },
    },
    async (request) => {
      const { tenantId } = callerOf(request);
      return present(await getWebhookEndpoint(db, { tenantId, id: request.params.id }));
    },
  );
}

function changeRoute(app: App, { db }: Dependencies): void {
  app.patch(
    '/v1/webhook-endpoints/:id',
    {
      config: { access: 'webhooks:write' },
      schema: {
        tags,
        summary: 'Change, disable or enable an endpoint',
        params: idParams,
        body: webhookEndpointChange,
        response: { 200: webhookEndpoint, ...problemResponses },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const row = await updateWebhookEndpoint(db, {
        tenantId: caller.tenantId,
        actor: actorOf(caller),
        id: request.params.id,
        change: defined(request.body),
      });
      return present(row);
    },
  );
}

function deleteRoute(app: App, { db }: Dependencies): void {
  app.delete(
    '/v1/webhook-endpoints/:id',
    {
      config: { access: 'webhooks:write' },
      schema: {
        tags,
        summary: 'Delete an endpoint',
        params: idParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { tenantId } = caller;
      await deleteWebhookEndpoint(db, { tenantId, actor: actorOf(caller), id: request.params.id });
      return reply.code(204).send(null);
    },
  );
}
