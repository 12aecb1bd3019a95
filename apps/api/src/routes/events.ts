import { listEvents } from '@signfleet/db';
import type { App, Dependencies } from '../app.ts';
import { callerOf } from '../authentication.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { defined } from '../defined.ts';
import { toTime } from '../presenters/time.ts';
import { page } from '../schemas/primitives.ts';
import { problemResponses } from '../schemas/problem.ts';
import { event, eventQuery } from '../schemas/webhook-endpoint.ts';

/** The tenant's events, for those who read instead of receiving webhooks. */
export function eventRoutes(app: App, { db }: Dependencies): void {
  app.get(
    '/v1/events',
    {
      config: { access: 'webhooks:read' },
      schema: {
        tags: ['events'],
        summary: 'List events, oldest first',
        description:
          'nextCursor is never null: keep it, and ask again for what has happened since.',
        querystring: eventQuery,
        response: { 200: page(event), ...problemResponses },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const after = cursor === undefined ? undefined : decodeCursor('event', cursor);
      const { tenantId } = callerOf(request);
      const rows = await listEvents(db, { tenantId, limit, ...defined({ after }) });
      return {
        items: rows.map(({ id, type, subject, data, createdAt }) => ({
          id,
          type,
          subject,
          data: event.shape.data.parse(data),
          createdAt: toTime(createdAt),
        })),
        nextCursor: encodeCursor('event', rows.at(-1)?.cursor ?? after ?? '0.0'),
      };
    },
  );
}
