import { insertApiKey, scopes } from './api-keys.ts';
import { appendAudit } from './audit.ts';
import type { Database } from './database.ts';
import { insertGrant } from './grants.ts';
import { newId } from './ids.ts';

const BOOTSTRAP_LOCK = 7_461_102;

/** The first tenant and its owner's API key. */
export interface Bootstrapped {
  readonly tenantId: string;
  readonly apiKeyId: string;
  /** Shown here and never again. */
  readonly token: string;
}

/**
 * Makes the first tenant with an owner's API key: all scopes and a grant on all keys. Returns null if
 * there is a tenant already; of processes that start together one makes it.
 */
export async function bootstrapTenant(
  db: Database,
  o: { readonly name: string },
): Promise<Bootstrapped | null> {
  return db.prismaTransaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${BOOTSTRAP_LOCK}::bigint)`;
    if ((await tx.tenant.findFirst({ select: { id: true } })) !== null) return null;
    const tenantId = newId('ten');
    const actor = 'system';
    await tx.tenant.create({ data: { id: tenantId, name: o.name } });
    await appendAudit(tx, { tenantId, actor, action: 'tenant.create', subject: tenantId });
    const apiKey = { name: 'owner', scopes };
    const { apiKey: owner, token } = await insertApiKey(tx, { tenantId, actor, apiKey });
    await insertGrant(tx, { tenantId, actor, apiKeyId: owner.id });
    return { tenantId, apiKeyId: owner.id, token };
  });
}
