import { DbError, getCertificate, getKey, importCertificate } from '@signfleet/db';
import type { App, Dependencies } from '../app.ts';
import { actorOf, callerOf } from '../authentication.ts';
import { ApiError } from '../errors.ts';
import { idempotencyOf } from '../idempotency.ts';
import { presentCertificate } from '../presenters/key.ts';
import { readCertificateChain } from '../read-certificate-chain.ts';
import { certificate, newCertificate } from '../schemas/key.ts';
import { idParams } from '../schemas/primitives.ts';
import { idempotencyHeaders, problemResponses } from '../schemas/problem.ts';

const tags = ['certificates'];

/** Certificates of users' keys, and the import of those that an outside CA made. */
export function certificateRoutes(app: App, dependencies: Dependencies): void {
  importRoute(app, dependencies);
  app.get(
    '/v1/certificates/:id',
    {
      config: { access: 'keys:read' },
      schema: {
        tags,
        summary: 'Read a certificate with its issuers',
        params: idParams,
        response: { 200: certificate, ...problemResponses },
      },
    },
    async (request) => {
      const { tenantId } = callerOf(request);
      const { db } = dependencies;
      return presentCertificate(await getCertificate(db, { tenantId, id: request.params.id }));
    },
  );
}

function importRoute(app: App, { db }: Dependencies): void {
  app.post(
    '/v1/certificates',
    {
      config: { access: 'keys:write' },
      schema: {
        tags,
        summary: 'Import the chain that an outside CA made for a key',
        headers: idempotencyHeaders,
        body: newCertificate,
        response: { 201: certificate, ...problemResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { keyId, pem } = request.body;
      const { tenantId } = caller;
      const { publicKey, certificateMode } = await getKey(db, { tenantId, id: keyId });
      if (publicKey === null || certificateMode !== 'csr') throw notAwaiting();
      const created = await importCertificate(db, {
        tenantId,
        actor: actorOf(caller),
        keyId,
        certificate: readCertificateChain(pem, publicKey),
        ...idempotencyOf(request, caller),
      }).catch((error: unknown) => {
        throw error instanceof DbError && error.code === 'invalid_state' ? notAwaiting() : error;
      });
      return reply
        .code(201)
        .header('location', `/v1/certificates/${created.id}`)
        .send(presentCertificate(created));
    },
  );
}

function notAwaiting(): ApiError {
  return new ApiError(
    'key_not_awaiting_certificate',
    'The key was not ordered with certificateMode csr, is not enrolled yet, or is revoked',
  );
}
