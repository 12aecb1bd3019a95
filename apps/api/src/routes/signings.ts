import { DbError, cancelSigning, getSigning, listSignings } from '@signfleet/db';
import type { App, Dependencies } from '../app.ts';
import { actorOf, callerOf } from '../authentication.ts';
import { defined } from '../defined.ts';
import { ApiError } from '../errors.ts';
import { idempotencyOf } from '../idempotency.ts';
import { pageRequest, presentPage } from '../page.ts';
import { presentAcceptedSigning, presentSigning } from '../presenters/signing.ts';
import { idParams, page } from '../schemas/primitives.ts';
import { idempotencyHeaders, problemResponses } from '../schemas/problem.ts';
import {
  acceptedSigning,
  download,
  newSigning,
  signing,
  signingQuery,
} from '../schemas/signing.ts';
import { submitOnce } from '../submit-once.ts';
import { visibilityOf } from '../visibility.ts';

const tags = ['signings'];

/** Seconds for which a presigned download works. */
const downloadSeconds = 300;

/** Signings of single documents: submitted, read, listed, canceled, downloaded. */
export function signingRoutes(app: App, dependencies: Dependencies): void {
  submitSigning(app, dependencies);
  readSignings(app, dependencies);
  cancelRoute(app, dependencies);
  downloadRoute(app, dependencies);
}

function submitSigning(app: App, { db, wakeUp, objectPolicy }: Dependencies): void {
  app.post(
    '/v1/signings',
    {
      config: { access: 'signings:write' },
      schema: {
        tags,
        summary: 'Submit a document to be signed',
        headers: idempotencyHeaders,
        body: newSigning,
        response: { 202: acceptedSigning, ...problemResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const resource = await submitOnce(request.body, {
        db,
        caller,
        policy: objectPolicy,
        ...idempotencyOf(request, caller),
      });
      const log = request.log.child({ signingId: resource.id });
      if (resource.state === 'queued') await wakeUp('sign-document', [resource.id], log);
      return reply
        .code(202)
        .header('location', `/v1/signings/${resource.id}`)
        .send(presentAcceptedSigning(resource));
    },
  );
}

function readSignings(app: App, { db }: Dependencies): void {
  app.get(
    '/v1/signings',
    {
      config: { access: 'signings:read' },
      schema: {
        tags,
        summary: 'List signings, newest first',
        querystring: signingQuery,
        response: { 200: page(signing), ...problemResponses },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { state, userId, keyId, batchId, createdAfter, createdBefore } = request.query;
      const rows = await listSignings(db, {
        tenantId: caller.tenantId,
        filter: defined({
          state,
          userId,
          keyId,
          batchId,
          createdAfter: createdAfter === undefined ? undefined : new Date(createdAfter),
          createdBefore: createdBefore === undefined ? undefined : new Date(createdBefore),
        }),
        ...visibilityOf(caller),
        ...pageRequest(request.query),
      });
      return presentPage(rows, presentSigning);
    },
  );
  app.get(
    '/v1/signings/:id',
    {
      config: { access: 'signings:read' },
      schema: {
        tags,
        summary: 'Read a signing',
        params: idParams,
        response: { 200: signing, ...problemResponses },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { tenantId } = caller;
      const { id } = request.params;
      return presentSigning(await getSigning(db, { tenantId, id, ...visibilityOf(caller) }));
    },
  );
}

function cancelRoute(app: App, { db, wakeUp }: Dependencies): void {
  app.delete(
    '/v1/signings/:id',
    {
      config: { access: 'signings:write' },
      schema: {
        tags,
        summary: 'Cancel a signing that is still queued',
        params: idParams,
        response: { 200: signing, ...problemResponses },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { tenantId } = caller;
      const { id } = request.params;
      const visible = { tenantId, id, ...visibilityOf(caller) };
      await getSigning(db, visible);
      const { deliveryIds } = await cancelSigning(db, {
        tenantId,
        id,
        actor: actorOf(caller),
      }).catch((error: unknown) => {
        throw error instanceof DbError && error.code === 'invalid_state' ? notCancelable() : error;
      });
      await wakeUp('deliver-webhook', deliveryIds, request.log.child({ signingId: id }));
      return presentSigning(await getSigning(db, visible));
    },
  );
}

function notCancelable(): ApiError {
  return new ApiError('signing_not_cancelable', 'Only a signing in state queued can be canceled');
}

function downloadRoute(app: App, { db, publicStore }: Dependencies): void {
  app.get(
    '/v1/signings/:id/download',
    {
      config: { access: 'signings:read' },
      schema: {
        tags,
        summary: 'Get a presigned URL of the signed document',
        params: idParams,
        response: { 200: download, ...problemResponses },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { tenantId } = caller;
      const row = await getSigning(db, {
        tenantId,
        id: request.params.id,
        ...visibilityOf(caller),
      });
      if (row.state !== 'completed') {
        throw new ApiError('signing_not_completed', `The state of the signing is ${row.state}`);
      }
      const expiresAt = new Date(Date.now() + downloadSeconds * 1000).toISOString();
      const url = await publicStore.presignGet({
        bucket: row.destinationBucket,
        key: row.destinationKey,
        expiresInSeconds: downloadSeconds,
        ...defined({ versionId: row.resultVersionId ?? undefined }),
      });
      return { url, expiresAt };
    },
  );
}
