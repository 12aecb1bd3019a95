import { z } from 'zod';
import type { ClaimRefusal } from './claim-signing.ts';
import type { Database } from './database.ts';
import { DbError } from './error.ts';
import type { WebhookDelivery } from './generated/client.ts';
import type { Page, PageRequest } from './page.ts';
import { GRACE_SECONDS } from './signing.ts';

const claimRow = z.object({
  id: z.string(),
  tenantId: z.string(),
  fencingToken: z.int(),
  /** Attempts made so far. */
  attempts: z.int(),
  eventId: z.string(),
  eventType: z.string(),
  eventData: z.json(),
  eventCreatedAt: z.date(),
  endpointId: z.string(),
  url: z.string(),
  /** False when the endpoint has been disabled or deleted since. */
  endpointEnabled: z.boolean(),
  sealedSecret: z.instanceof(Uint8Array),
});

/** A delivery held by one worker until its lease expires, with its event and endpoint. */
export type ClaimedDelivery = Readonly<z.infer<typeof claimRow>>;

const claim = {
  name: 'delivery_claim',
  text: `WITH claimed AS (
      UPDATE webhook_deliveries SET fencing_token = fencing_token + 1,
        lease_expires_at = now() + make_interval(secs => $2), wake_at = now() + make_interval(secs => $2)
      WHERE id = $1 AND state = 'pending' AND (lease_expires_at IS NULL OR lease_expires_at < now())
      RETURNING *
    )
    SELECT d.id, d.tenant_id AS "tenantId", d.fencing_token AS "fencingToken", d.attempts,
      e.id AS "eventId", e.type AS "eventType", e.data AS "eventData", e.created_at AS "eventCreatedAt",
      w.id AS "endpointId", w.url, w.enabled AS "endpointEnabled", w.sealed_secret AS "sealedSecret"
    FROM claimed d JOIN events e ON e.id = d.event_id JOIN webhook_endpoints w ON w.id = d.endpoint_id`,
  row: claimRow,
};

/** Takes a pending delivery, or one whose holder's lease has expired: of concurrent claims one wins. */
export async function claimDelivery(
  db: Database,
  o: { readonly id: string; readonly leaseSeconds: number },
): Promise<ClaimedDelivery | ClaimRefusal> {
  const [row] = await db.query(claim, [o.id, o.leaseSeconds]);
  if (row !== undefined) return row;
  const where = { id: o.id };
  const found = await db.prisma.webhookDelivery.findUnique({ where, select: { state: true } });
  if (found === null) return { refused: 'not_found' };
  return { refused: found.state === 'pending' ? 'held' : 'not_queued' };
}

/** One HTTP request and what came of it. */
export interface DeliveryAttemptRecord {
  /** HTTP status, if there was an answer. */
  readonly status?: number;
  readonly errorCode?: string;
  readonly durationMillis: number;
}

/** What follows from an attempt: done, another one later, or given up. */
export type DeliveryNext =
  | { readonly state: 'delivered' }
  | { readonly state: 'failed' }
  | { readonly state: 'pending'; readonly retryInMs: number };

const record = {
  name: 'delivery_record',
  text: `WITH held AS (
      UPDATE webhook_deliveries SET attempts = attempts + 1, lease_expires_at = NULL,
        state = $3::delivery_state,
        next_attempt_at = CASE WHEN $3 = 'pending' THEN now() + make_interval(secs => $4) END,
        wake_at = CASE WHEN $3 = 'pending'
          THEN now() + make_interval(secs => $4::double precision + ${GRACE_SECONDS}) END,
        finished_at = CASE WHEN $3 <> 'pending' THEN now() END
      WHERE id = $1 AND fencing_token = $2 AND state = 'pending' AND lease_expires_at IS NOT NULL
      RETURNING id, attempts
    )
    INSERT INTO webhook_attempts (delivery_id, number, status, error_code, duration_millis)
    SELECT id, attempts, $5, $6, $7 FROM held RETURNING number`,
  row: z.object({ number: z.int() }),
};

/** Records an attempt and what follows from it, if the claim is still the newest. */
export async function recordDeliveryAttempt(
  db: Database,
  o: {
    readonly id: string;
    readonly fencingToken: number;
    readonly attempt: DeliveryAttemptRecord;
    readonly next: DeliveryNext;
  },
): Promise<'recorded' | 'fenced'> {
  const { attempt, next } = o;
  const rows = await db.query(record, [
    o.id,
    o.fencingToken,
    next.state,
    next.state === 'pending' ? next.retryInMs / 1000 : 0,
    attempt.status ?? null,
    attempt.errorCode ?? null,
    Math.round(attempt.durationMillis),
  ]);
  return rows.length === 0 ? 'fenced' : 'recorded';
}

const cursorShape = /^(\d+)\.(whd_[0-9a-f]{32})$/;

function cursorFilter(cursor: string | undefined): object {
  if (cursor === undefined) return {};
  const [, millis, id] = cursorShape.exec(cursor) ?? [];
  if (millis === undefined || id === undefined) {
    throw new DbError('invalid_input', 'the cursor is not one of this list');
  }
  const createdAt = new Date(Number(millis));
  return { OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }] };
}

/** Deliveries to one endpoint of the tenant, newest first. */
export async function listDeliveries(
  db: Database,
  o: PageRequest & { readonly tenantId: string; readonly endpointId: string },
): Promise<Page<WebhookDelivery>> {
  const rows = await db.prisma.webhookDelivery.findMany({
    where: { tenantId: o.tenantId, endpointId: o.endpointId, ...cursorFilter(o.cursor) },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: o.limit + 1,
  });
  const items = rows.slice(0, o.limit);
  const last = items.at(-1);
  return rows.length > o.limit && last !== undefined
    ? { items, nextCursor: `${last.createdAt.getTime()}.${last.id}` }
    : { items };
}
