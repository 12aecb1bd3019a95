import { z } from 'zod';
import type { AuditChainEntry, AuditChainLink } from '@signfleet/audit';
import type { Database } from './database.ts';

const list = {
  name: 'audit_list',
  text: `SELECT tenant_id AS "tenantId", position, at, actor, action, subject, details,
      encode(prev_hash, 'hex') AS "prevHash", encode(hash, 'hex') AS hash
    FROM audit_entries WHERE tenant_id = $1 AND position > $2 ORDER BY position LIMIT $3`,
  row: z.object({
    tenantId: z.string(),
    position: z.coerce.number(),
    at: z.date().transform((at) => at.toISOString()),
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    details: z.string(),
    prevHash: z.string(),
    hash: z.string(),
  }),
};

/** Sealed entries of the tenant after a position, in the order of the chain. */
export async function listAuditEntries(
  db: Database,
  o: { readonly tenantId: string; readonly afterPosition?: number; readonly limit: number },
): Promise<AuditChainEntry[]> {
  return db.query(list, [o.tenantId, o.afterPosition ?? 0, o.limit]);
}

/** The newest sealed link of the tenant's chain, or null when nothing is sealed yet. */
export async function getAuditChainHead(
  db: Database,
  o: { readonly tenantId: string },
): Promise<AuditChainLink | null> {
  const head = await db.prisma.auditChainHead.findUnique({ where: { tenantId: o.tenantId } });
  if (head === null) return null;
  return { position: Number(head.position), hash: Buffer.from(head.hash).toString('hex') };
}
