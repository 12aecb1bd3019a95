import type { App, Dependencies } from '../app.ts';
import { callerOf } from '../authentication.ts';
import { problemResponses } from '../schemas/problem.ts';
import { newUpload, upload } from '../schemas/signing.ts';

/** Seconds for which a presigned upload works. */
const uploadSeconds = 900;

/** Places for documents that are not in the object store yet. */
export function uploadRoutes(app: App, { publicStore, objectPolicy }: Dependencies): void {
  app.post(
    '/v1/uploads',
    {
      config: { access: 'signings:write' },
      schema: {
        tags: ['signings'],
        summary: 'Get a place for a document and a presigned URL to PUT it there',
        body: newUpload,
        response: { 201: upload, ...problemResponses },
      },
    },
    async (request, reply) => {
      const location = objectPolicy.uploadLocation(callerOf(request).tenantId);
      const contentType = 'application/pdf';
      const expiresAt = new Date(Date.now() + uploadSeconds * 1000).toISOString();
      const url = await publicStore.presignPut({
        ...location,
        contentType,
        expiresInSeconds: uploadSeconds,
      });
      const headers = { 'content-type': contentType };
      return reply.code(201).send({ ...location, method: 'PUT', url, headers, expiresAt });
    },
  );
}
