import { createBatch, getBatch } from '@signfleet/db';
import type { App, Dependencies } from '../app.ts';
import { callerOf } from '../authentication.ts';
import { sortBatchItems } from '../batch-items.ts';
import { defined } from '../defined.ts';
import { idempotencyOf } from '../idempotency.ts';
import { presentAcceptedBatch, presentBatch } from '../presenters/batch.ts';
import { acceptedBatch, batch, newBatch } from '../schemas/batch.ts';
import { idParams } from '../schemas/primitives.ts';
import { idempotencyHeaders, problemResponses } from '../schemas/problem.ts';
import { visibilityOf } from '../visibility.ts';

const tags = ['batches'];

/** Bytes of the body of a batch: 10,000 items of about 1.6 KB. */
const bodyLimit = 16 * 1024 * 1024;

/** Milliseconds for the whole request, of which sending 16 MB takes most. */
const handlerTimeout = 60_000;

/** Many signings submitted in one call and counted together. */
export function batchRoutes(app: App, dependencies: Dependencies): void {
  submitBatch(app, dependencies);
  app.get(
    '/v1/batches/:id',
    {
      config: { access: 'signings:read' },
      schema: {
        tags,
        summary: 'Read the counters of a batch',
        params: idParams,
        response: { 200: batch, ...problemResponses },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { tenantId } = caller;
      const where = { tenantId, id: request.params.id, ...visibilityOf(caller) };
      return presentBatch(await getBatch(dependencies.db, where));
    },
  );
}

function submitBatch(app: App, { db, wakeUp, objectPolicy }: Dependencies): void {
  app.post(
    '/v1/batches',
    {
      bodyLimit,
      handlerTimeout,
      config: { access: 'signings:write' },
      schema: {
        tags,
        summary: 'Submit up to 10,000 documents',
        headers: idempotencyHeaders,
        body: newBatch,
        response: { 202: acceptedBatch, ...problemResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { items, metadata } = request.body;
      const sorted = await sortBatchItems(items, { db, caller, policy: objectPolicy });
      const { resource } = await createBatch(db, {
        tenantId: caller.tenantId,
        apiKeyId: caller.apiKeyId,
        ...sorted,
        ...defined({ metadata }),
        ...idempotencyOf(request, caller),
      });
      const queued = resource.items.filter(({ state }) => state === 'queued');
      const log = request.log.child({ batchId: resource.batch.id });
      await wakeUp(
        'sign-document',
        queued.map(({ id }) => id),
        log,
      );
      return reply
        .code(202)
        .header('location', `/v1/batches/${resource.batch.id}`)
        .send(presentAcceptedBatch(resource));
    },
  );
}
