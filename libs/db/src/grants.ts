import { z } from 'zod';
import { appendAudit, type Actor } from './audit.ts';
import type { Database, PrismaTransaction } from './database.ts';
import { DbError } from './error.ts';
import type { Grant } from './generated/client.ts';
import { createOnce, type Idempotency } from './idempotency.ts';
import { derivedId } from './ids.ts';
import { pageOf, pageQuery, type Page, type PageRequest } from './page.ts';

/** Lets an API key sign with one key, with all keys of a user, or (neither given) with all of the tenant. */
export interface NewGrant {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly apiKeyId: string;
  readonly userId?: string;
  readonly keyId?: string;
}

async function requireOwned(tx: PrismaTransaction, o: NewGrant): Promise<void> {
  const { tenantId, apiKeyId, userId, keyId } = o;
  const missing =
    (await tx.apiKey.count({ where: { id: apiKeyId, tenantId } })) === 0 ||
    (userId !== undefined && (await tx.user.count({ where: { id: userId, tenantId } })) === 0) ||
    (keyId !== undefined && (await tx.key.count({ where: { id: keyId, tenantId } })) === 0);
  if (missing) throw new DbError('not_found', 'there is no such API key, user or key');
}

function grantId({ apiKeyId, userId, keyId }: NewGrant): string {
  return derivedId('grt', apiKeyId, userId ?? '*', keyId ?? '*');
}

/** Grants inside a transaction; see {@link createGrant}. */
export async function insertGrant(tx: PrismaTransaction, o: NewGrant): Promise<Grant> {
  const { tenantId, actor, apiKeyId, userId, keyId } = o;
  if (userId !== undefined && keyId !== undefined) {
    throw new DbError('invalid_input', 'a grant is on a user or on a key');
  }
  await requireOwned(tx, o);
  const id = grantId(o);
  const { count } = await tx.grant.createMany({
    data: [{ id, tenantId, apiKeyId, userId: userId ?? null, keyId: keyId ?? null }],
    skipDuplicates: true,
  });
  if (count > 0) {
    const details = { apiKeyId, userId: userId ?? null, keyId: keyId ?? null };
    await appendAudit(tx, { tenantId, actor, action: 'grant.create', subject: id, details });
  }
  return tx.grant.findUniqueOrThrow({ where: { id } });
}

/**
 * Grants; the same grant again is the same row. A repetition (same idempotency key) of a grant that
 * was withdrawn since does not bring it back. Throws DbError `not_found`, `invalid_input`,
 * `idempotency_mismatch`.
 */
export async function createGrant(
  db: Database,
  o: NewGrant & { readonly idempotency?: Idempotency },
): Promise<Grant> {
  const { tenantId } = o;
  const id = grantId(o);
  const { resource } = await createOnce(
    db,
    { ...o, id },
    (tx) => insertGrant(tx, o),
    async (earlier) => {
      const found = await db.prisma.grant.findFirst({ where: { id: earlier, tenantId } });
      if (found === null) throw new DbError('not_found', 'the grant was withdrawn');
      return found;
    },
  );
  return resource;
}

/** Withdraws a grant. Throws DbError `not_found`. */
export async function deleteGrant(
  db: Database,
  o: { readonly tenantId: string; readonly actor: Actor; readonly id: string },
): Promise<void> {
  const { tenantId, actor, id } = o;
  await db.prismaTransaction(async (tx) => {
    const { count } = await tx.grant.deleteMany({ where: { id, tenantId } });
    if (count === 0) throw new DbError('not_found', 'there is no such grant');
    await appendAudit(tx, { tenantId, actor, action: 'grant.delete', subject: id });
  });
}

/** Grants of the tenant. */
export async function listGrants(
  db: Database,
  o: PageRequest & {
    readonly tenantId: string;
    readonly filter?: { readonly apiKeyId?: string };
  },
): Promise<Page<Grant>> {
  const { where, ...query } = pageQuery(o);
  const rows = await db.prisma.grant.findMany({
    ...query,
    where: { tenantId: o.tenantId, ...o.filter, ...where },
  });
  return pageOf(rows, o);
}

// Three look-ups in one index and no scan of the caller's grants.
const granted = `(
  EXISTS (SELECT 1 FROM grants g WHERE g.api_key_id = $2 AND g.user_id IS NULL AND g.key_id IS NULL)
  OR EXISTS (SELECT 1 FROM grants g WHERE g.api_key_id = $2 AND g.user_id = k.user_id AND g.key_id IS NULL)
  OR EXISTS (SELECT 1 FROM grants g WHERE g.api_key_id = $2 AND g.user_id IS NULL AND g.key_id = k.id))`;

const usableKeyRow = z.object({
  id: z.string(),
  userId: z.string(),
  algorithm: z.string(),
  state: z.enum(['pending', 'awaiting_certificate', 'active', 'failed', 'revoked']),
});

/** A key that the caller may use as soon as, and as long as, it is active. */
export type UsableKey = Readonly<z.infer<typeof usableKeyRow>>;

const findUsable = {
  name: 'grant_usable_keys',
  text: `SELECT k.id, k.user_id AS "userId", k.algorithm, k.state FROM keys k
    WHERE k.tenant_id = $1 AND k.id = ANY ($3::text[]) AND ${granted}`,
  row: usableKeyRow,
};

const findUsableByUser = {
  name: 'grant_usable_keys_by_user',
  text: `SELECT DISTINCT ON (k.user_id) k.id, k.user_id AS "userId", k.algorithm, k.state FROM keys k
    WHERE k.tenant_id = $1 AND k.user_id = ANY ($3::text[]) AND k.state = 'active' AND ${granted}
    ORDER BY k.user_id, k.id DESC`,
  row: usableKeyRow,
};

/** What the caller may sign with. */
export interface UsableKeys {
  /** By key id, for those asked by `keyIds`; of any state. */
  readonly byKeyId: ReadonlyMap<string, UsableKey>;
  /** The newest active key of each user asked by `userIds`. */
  readonly byUserId: ReadonlyMap<string, UsableKey>;
}

/**
 * Of the keys and users asked for, those that the caller's tenant has and its grants allow; what is
 * missing in the answer is unknown or forbidden, and the caller must not learn which.
 */
export async function findUsableKeys(
  db: Database,
  o: {
    readonly tenantId: string;
    readonly apiKeyId: string;
    readonly keyIds?: readonly string[];
    readonly userIds?: readonly string[];
  },
): Promise<UsableKeys> {
  const { tenantId, apiKeyId, keyIds = [], userIds = [] } = o;
  const [byKey, byUser] = await Promise.all([
    keyIds.length === 0 ? [] : db.query(findUsable, [tenantId, apiKeyId, keyIds]),
    userIds.length === 0 ? [] : db.query(findUsableByUser, [tenantId, apiKeyId, userIds]),
  ]);
  return {
    byKeyId: new Map(byKey.map((key) => [key.id, key])),
    byUserId: new Map(byUser.map((key) => [key.userId, key])),
  };
}

/** Whether the caller may sign with the key. */
export async function canUseKey(
  db: Database,
  caller: { readonly tenantId: string; readonly apiKeyId: string },
  keyId: string,
): Promise<boolean> {
  const { byKeyId } = await findUsableKeys(db, { ...caller, keyIds: [keyId] });
  return byKeyId.has(keyId);
}
