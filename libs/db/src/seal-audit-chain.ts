import { z } from 'zod';
import { auditChainOrigin, auditEntryHash, type AuditChainLink } from '@signfleet/audit';
import type { Database, StatementRunner } from './database.ts';

const SEAL_LOCK = 7_461_103;

const lock = {
  name: 'audit_lock',
  text: 'SELECT pg_advisory_xact_lock($1)::text',
  row: z.object({}),
};

const unsealedRow = z.object({
  sequence: z.string(),
  tenantId: z.string(),
  at: z.date(),
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  details: z.string(),
});

type Unsealed = z.infer<typeof unsealedRow>;

const findUnsealed = {
  name: 'audit_unsealed',
  text: `SELECT sequence, tenant_id AS "tenantId", at, actor, action, subject, details
    FROM audit_entries WHERE position IS NULL ORDER BY sequence LIMIT $1`,
  row: unsealedRow,
};

const findHeads = {
  name: 'audit_heads',
  text: `SELECT tenant_id AS "tenantId", position, encode(hash, 'hex') AS hash
    FROM audit_chain_heads WHERE tenant_id = ANY ($1::text[])`,
  row: z.object({ tenantId: z.string(), position: z.coerce.number(), hash: z.string() }),
};

const seal = {
  name: 'audit_seal',
  text: `UPDATE audit_entries a SET position = s.position, prev_hash = decode(s.prev_hash, 'hex'),
      hash = decode(s.hash, 'hex')
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])
      AS s(sequence, position, prev_hash, hash)
    WHERE a.sequence = s.sequence AND a.position IS NULL`,
  row: z.object({}),
};

const moveHeads = {
  name: 'audit_move_heads',
  text: `INSERT INTO audit_chain_heads (tenant_id, position, hash)
    SELECT h.tenant_id, h.position, decode(h.hash, 'hex')
    FROM unnest($1::text[], $2::bigint[], $3::text[]) AS h(tenant_id, position, hash)
    ON CONFLICT (tenant_id) DO UPDATE
      SET position = excluded.position, hash = excluded.hash, updated_at = now()`,
  row: z.object({}),
};

interface Sealed extends AuditChainLink {
  readonly sequence: string;
  readonly prevHash: string;
}

/** Links each entry to the one before it of its tenant; `heads` move along. */
function link(entries: readonly Unsealed[], heads: Map<string, AuditChainLink>): Sealed[] {
  return entries.map(({ sequence, at, ...entry }) => {
    const last = heads.get(entry.tenantId) ?? auditChainOrigin(entry.tenantId);
    const position = last.position + 1;
    const prevHash = last.hash;
    const hash = auditEntryHash({ ...entry, at: at.toISOString(), position, prevHash });
    heads.set(entry.tenantId, { position, hash });
    return { sequence, position, prevHash, hash };
  });
}

async function sealSome(tx: StatementRunner, batchSize: number): Promise<number> {
  await tx.query(lock, [SEAL_LOCK]);
  const entries = await tx.query(findUnsealed, [batchSize]);
  if (entries.length === 0) return 0;
  const tenants = [...new Set(entries.map((entry) => entry.tenantId))];
  const known = await tx.query(findHeads, [tenants]);
  const heads = new Map(known.map(({ tenantId, ...head }) => [tenantId, head]));
  const sealed = link(entries, heads);
  await tx.query(seal, [
    sealed.map((entry) => entry.sequence),
    sealed.map((entry) => entry.position),
    sealed.map((entry) => entry.prevHash),
    sealed.map((entry) => entry.hash),
  ]);
  const moved = [...heads.entries()];
  await tx.query(moveHeads, [
    moved.map(([tenantId]) => tenantId),
    moved.map(([, head]) => head.position),
    moved.map(([, head]) => head.hash),
  ]);
  return entries.length;
}

/**
 * Gives every entry committed before this call its place in its tenant's hash chain and says how
 * many. One sealer works at a time, batch by batch; acting transactions never wait for it.
 */
export async function sealAuditChain(
  db: Database,
  o: { readonly batchSize?: number } = {},
): Promise<number> {
  const batchSize = o.batchSize ?? 1_000;
  let total = 0;
  for (;;) {
    const sealed = await db.transaction((tx) => sealSome(tx, batchSize));
    total += sealed;
    if (sealed < batchSize) return total;
  }
}
