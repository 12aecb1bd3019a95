import { createKey, getKey, listKeys } from '@signfleet/db';
import { encodePem } from '@signfleet/pki';
import { z } from 'zod';
import type { App, Dependencies } from '../app.ts';
import { actorOf, callerOf } from '../authentication.ts';
import { defined } from '../defined.ts';
import { ApiError } from '../errors.ts';
import { idempotencyOf } from '../idempotency.ts';
import { pageRequest, presentPage } from '../page.ts';
import { presentAcceptedKey, presentKey } from '../presenters/key.ts';
import { key, keyQuery, newKey } from '../schemas/key.ts';
import { idParams, page } from '../schemas/primitives.ts';
import { idempotencyHeaders, problemResponses } from '../schemas/problem.ts';

const tags = ['keys'];

/** The users' signing keys: ordered here, made by a worker inside the HSM. */
export function keyRoutes(app: App, dependencies: Dependencies): void {
  orderKey(app, dependencies);
  readKeys(app, dependencies);
  readCertificationRequest(app, dependencies);
}

function orderKey(app: App, { db, wakeUp }: Dependencies): void {
  app.post(
    '/v1/keys',
    {
      config: { access: 'keys:write' },
      schema: {
        tags,
        summary: 'Order a key for a user',
        headers: idempotencyHeaders,
        body: newKey,
        response: { 202: key, ...problemResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { resource } = await createKey(db, {
        tenantId: caller.tenantId,
        actor: actorOf(caller),
        ...request.body,
        ...idempotencyOf(request, caller),
      });
      if (resource.state === 'pending') await wakeUp('enrol-key', [resource.id], request.log);
      return reply
        .code(202)
        .header('location', `/v1/keys/${resource.id}`)
        .send(presentAcceptedKey(resource));
    },
  );
}

function readKeys(app: App, { db }: Dependencies): void {
  app.get(
    '/v1/keys',
    {
      config: { access: 'keys:read' },
      schema: {
        tags,
        summary: 'List keys, newest first',
        querystring: keyQuery,
        response: { 200: page(key), ...problemResponses },
      },
    },
    async (request) => {
      const { userId, state } = request.query;
      const rows = await listKeys(db, {
        tenantId: callerOf(request).tenantId,
        filter: defined({ userId, state }),
        ...pageRequest(request.query),
      });
      return presentPage(rows, presentKey);
    },
  );
  app.get(
    '/v1/keys/:id',
    {
      config: { access: 'keys:read' },
      schema: {
        tags,
        summary: 'Read a key',
        params: idParams,
        response: { 200: key, ...problemResponses },
      },
    },
    async (request) => {
      const { tenantId } = callerOf(request);
      return presentKey(await getKey(db, { tenantId, id: request.params.id }));
    },
  );
}

function readCertificationRequest(app: App, { db }: Dependencies): void {
  const pem = {
    description: 'PKCS#10 (RFC 2986), PEM',
    content: { 'application/x-pem-file': { schema: z.string() } },
  };
  app.get(
    '/v1/keys/:id/csr',
    {
      config: { access: 'keys:read' },
      schema: {
        tags,
        summary: 'Read the certification request of a key',
        params: idParams,
        response: { 200: pem, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { csr } = await getKey(db, { tenantId, id: request.params.id });
      if (csr === null) {
        throw new ApiError('csr_not_available', 'The key is not enrolled yet or not in mode csr');
      }
      return reply
        .header('content-type', 'application/x-pem-file')
        .serializer(String)
        .send(encodePem('CERTIFICATE REQUEST', csr));
    },
  );
}
