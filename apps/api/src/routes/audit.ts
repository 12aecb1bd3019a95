import { getAuditChainHead, listAuditEntries, sealAuditChain } from '@signfleet/db';
import type { App, Dependencies } from '../app.ts';
import { callerOf } from '../authentication.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { auditPage, auditQuery } from '../schemas/access.ts';
import { problemResponses } from '../schemas/problem.ts';

/** The tenant's audit log. What happened before the request is sealed into the chain first. */
export function auditRoutes(app: App, { db }: Dependencies): void {
  app.get(
    '/v1/audit',
    {
      config: { access: 'audit:read' },
      schema: {
        tags: ['audit'],
        summary: 'List audit entries in the order of their hash chain, oldest first',
        querystring: auditQuery,
        response: { 200: auditPage, ...problemResponses },
      },
    },
    async (request) => {
      const { tenantId } = callerOf(request);
      const { limit, cursor } = request.query;
      const afterPosition = cursor === undefined ? 0 : Number(decodeCursor('audit', cursor));
      if (cursor === undefined) await sealAuditChain(db);
      const items = await listAuditEntries(db, { tenantId, afterPosition, limit });
      const last = items.at(-1);
      const more = items.length === limit && last !== undefined;
      return {
        items,
        nextCursor: more ? encodeCursor('audit', String(last.position)) : null,
        head: await getAuditChainHead(db, { tenantId }),
      };
    },
  );
}
