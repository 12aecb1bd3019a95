import { appendAudit, type Actor } from './audit.ts';
import type { Database } from './database.ts';
import type { EventType } from './emit.ts';
import { DbError } from './error.ts';
import type { WebhookEndpoint as WebhookEndpointRow } from './generated/client.ts';
import { createOnce, type Created, type Idempotency } from './idempotency.ts';
import { newId } from './ids.ts';
import { pageOf, pageQuery, type Page, type PageRequest } from './page.ts';

/** An endpoint as everybody may read it: its secret is handed out by delivery claims alone. */
export type WebhookEndpoint = Omit<WebhookEndpointRow, 'sealedSecret'>;

/** Where events are sent. */
export interface NewWebhookEndpoint {
  /** From `newId('whe')` when the secret is sealed for it. */
  readonly id?: string;
  readonly url: string;
  readonly description?: string;
  /** Empty means all. */
  readonly eventTypes: readonly EventType[];
  /** Encrypted by the caller of this function. */
  readonly sealedSecret: Uint8Array;
}

/** Makes an endpoint; it gets the events that happen from now on. */
export async function createWebhookEndpoint(
  db: Database,
  o: {
    readonly tenantId: string;
    readonly actor: Actor;
    readonly endpoint: NewWebhookEndpoint;
    readonly idempotency?: Idempotency;
  },
): Promise<Created<WebhookEndpoint>> {
  const { tenantId, actor } = o;
  const { url, description, eventTypes, sealedSecret } = o.endpoint;
  const id = o.endpoint.id ?? newId('whe');
  return createOnce(
    db,
    { ...o, id },
    async (tx) => {
      const endpoint = await tx.webhookEndpoint.create({
        data: {
          id,
          tenantId,
          url,
          description: description ?? null,
          eventTypes: [...eventTypes],
          sealedSecret: Buffer.from(sealedSecret),
        },
      });
      const details = { eventTypes };
      await appendAudit(tx, {
        tenantId,
        actor,
        action: 'webhook_endpoint.create',
        subject: id,
        details,
      });
      return endpoint;
    },
    (earlier) => getWebhookEndpoint(db, { tenantId, id: earlier }),
  );
}

/** Throws DbError `not_found`. */
export async function getWebhookEndpoint(
  db: Database,
  o: { readonly tenantId: string; readonly id: string },
): Promise<WebhookEndpoint> {
  const where = { id: o.id, tenantId: o.tenantId, deletedAt: null };
  const found = await db.prisma.webhookEndpoint.findFirst({ where });
  if (found === null) throw new DbError('not_found', 'there is no such webhook endpoint');
  return found;
}

/** Endpoints of the tenant that are not deleted, newest first. */
export async function listWebhookEndpoints(
  db: Database,
  o: PageRequest & { readonly tenantId: string },
): Promise<Page<WebhookEndpoint>> {
  const { where, ...query } = pageQuery(o);
  const rows = await db.prisma.webhookEndpoint.findMany({
    ...query,
    where: { tenantId: o.tenantId, deletedAt: null, ...where },
  });
  return pageOf(rows, o);
}

/** What can be changed of an endpoint. */
export type WebhookEndpointChange = Partial<
  Pick<NewWebhookEndpoint, 'url' | 'description' | 'eventTypes'> & { readonly enabled: boolean }
>;

/** Throws DbError `not_found`. */
export async function updateWebhookEndpoint(
  db: Database,
  o: {
    readonly tenantId: string;
    readonly actor: Actor;
    readonly id: string;
    readonly change: WebhookEndpointChange;
  },
): Promise<WebhookEndpoint> {
  const { tenantId, actor, id } = o;
  const { eventTypes, ...rest } = o.change;
  const data = { ...rest, ...(eventTypes === undefined ? {} : { eventTypes: [...eventTypes] }) };
  await db.prismaTransaction(async (tx) => {
    const where = { id, tenantId, deletedAt: null };
    const { count } = await tx.webhookEndpoint.updateMany({ where, data });
    if (count === 0) throw new DbError('not_found', 'there is no such webhook endpoint');
    const details = { changed: Object.keys(o.change) };
    await appendAudit(tx, {
      tenantId,
      actor,
      action: 'webhook_endpoint.update',
      subject: id,
      details,
    });
  });
  return getWebhookEndpoint(db, { tenantId, id });
}

/** Takes an endpoint out of use; what is on its way to it fails. Throws DbError `not_found`. */
export async function deleteWebhookEndpoint(
  db: Database,
  o: { readonly tenantId: string; readonly actor: Actor; readonly id: string },
): Promise<void> {
  const { tenantId, actor, id } = o;
  await db.prismaTransaction(async (tx) => {
    const where = { id, tenantId, deletedAt: null };
    const data = { deletedAt: new Date(), enabled: false };
    const { count } = await tx.webhookEndpoint.updateMany({ where, data });
    if (count === 0) throw new DbError('not_found', 'there is no such webhook endpoint');
    await appendAudit(tx, { tenantId, actor, action: 'webhook_endpoint.delete', subject: id });
  });
}
