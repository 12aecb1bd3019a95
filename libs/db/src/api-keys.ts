import { z } from 'zod';
import { newApiToken, parseApiToken, sameSecret } from './api-token.ts';
import { appendAudit, type Actor } from './audit.ts';
import type { Database, PrismaTransaction } from './database.ts';
import { DbError } from './error.ts';
import type { ApiKey as ApiKeyRow } from './generated/client.ts';
import { createOnce, type Idempotency } from './idempotency.ts';
import { newId } from './ids.ts';
import { pageOf, pageQuery, type Page, type PageRequest } from './page.ts';

/** An API key without anything of its secret. */
export type ApiKey = Omit<ApiKeyRow, 'secretHash'>;

/** What an API key may do, beside its grants on keys. */
export const scopes = [
  'signings:write',
  'signings:read',
  'keys:write',
  'keys:read',
  'users:write',
  'users:read',
  'webhooks:write',
  'webhooks:read',
  'audit:read',
  'admin',
] as const;

/** One of {@link scopes}. */
export type Scope = (typeof scopes)[number];

/** Who is calling. */
export interface Caller {
  readonly tenantId: string;
  readonly apiKeyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** An API key to be made. */
export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: Date;
}

/** An API key with its token, which is in this answer and nowhere else. */
export interface CreatedApiKey {
  readonly apiKey: ApiKey;
  readonly token: string;
}

interface ApiKeyCreation {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly apiKey: NewApiKey;
  /** From `newId('api')`. */
  readonly id?: string;
  /** 37 secret bytes that the token is made of; random ones by default. */
  readonly tokenSeed?: Uint8Array;
}

/** Makes an API key inside a transaction. */
export async function insertApiKey(
  tx: PrismaTransaction,
  o: ApiKeyCreation,
): Promise<CreatedApiKey> {
  const { token, prefix, secretHash } = newApiToken(o.tokenSeed);
  const { tenantId, actor } = o;
  const { name, expiresAt } = o.apiKey;
  const apiKey = await tx.apiKey.create({
    data: {
      id: o.id ?? newId('api'),
      tenantId,
      name,
      scopes: [...o.apiKey.scopes],
      prefix,
      secretHash: Buffer.from(secretHash),
      expiresAt: expiresAt ?? null,
    },
  });
  await appendAudit(tx, {
    tenantId,
    actor,
    action: 'api_key.create',
    subject: apiKey.id,
    details: { name, prefix, scopes: apiKey.scopes },
  });
  return { apiKey, token };
}

/**
 * Makes an API key. It can sign with no key until it is granted one. A repetition (same idempotency
 * key) must bring the same `tokenSeed`, since the token is not stored. Throws DbError
 * `idempotency_mismatch`.
 */
export async function createApiKey(
  db: Database,
  o: Omit<ApiKeyCreation, 'id'> & { readonly idempotency?: Idempotency },
): Promise<CreatedApiKey> {
  const id = newId('api');
  const { resource } = await createOnce<CreatedApiKey>(
    db,
    { ...o, id },
    (tx) => insertApiKey(tx, { ...o, id }),
    async (earlier) => {
      const apiKey = await db.prisma.apiKey.findFirst({
        where: { id: earlier, tenantId: o.tenantId },
      });
      if (apiKey === null) throw new DbError('not_found', 'there is no such API key');
      return { apiKey, token: newApiToken(o.tokenSeed).token };
    },
  );
  return resource;
}

const find = {
  name: 'api_key_find',
  text: `SELECT id, tenant_id AS "tenantId", name, scopes, secret_hash AS "secretHash",
      last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS "useUnnoticed"
    FROM api_keys
    WHERE prefix = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
  row: z.object({
    id: z.string(),
    tenantId: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(scopes)),
    secretHash: z.instanceof(Uint8Array),
    useUnnoticed: z.boolean(),
  }),
};

// At most once a minute for a key, so that a busy caller does not turn every read into a write.
const noticeUse = {
  name: 'api_key_notice_use',
  text: `UPDATE api_keys SET last_used_at = now()
    WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
  row: z.object({}),
};

/** The caller that the token proves, or null: unknown, wrong, expired or revoked look the same. */
export async function findCaller(db: Database, token: string): Promise<Caller | null> {
  const given = parseApiToken(token);
  if (given === undefined) return null;
  const [row] = await db.query(find, [given.prefix]);
  if (row === undefined || !sameSecret(row.secretHash, given.secretHash)) return null;
  if (row.useUnnoticed) await db.query(noticeUse, [row.id]);
  return { tenantId: row.tenantId, apiKeyId: row.id, name: row.name, scopes: row.scopes };
}

/** Ends an API key at once. Throws DbError `not_found`, `invalid_state` when it is revoked already. */
export async function revokeApiKey(
  db: Database,
  o: { readonly tenantId: string; readonly actor: Actor; readonly id: string },
): Promise<ApiKey> {
  const { tenantId, actor, id } = o;
  return db.prismaTransaction(async (tx) => {
    const { count } = await tx.apiKey.updateMany({
      where: { id, tenantId, revokedAt: null },
      data: { revokedAt: new Date() },
    });
    const apiKey = await tx.apiKey.findFirst({ where: { id, tenantId } });
    if (apiKey === null) throw new DbError('not_found', 'there is no such API key');
    if (count === 0) throw new DbError('invalid_state', 'the API key is revoked already');
    await appendAudit(tx, { tenantId, actor, action: 'api_key.revoke', subject: id });
    return apiKey;
  });
}

/** API keys of the tenant, newest first. */
export async function listApiKeys(
  db: Database,
  o: PageRequest & { readonly tenantId: string },
): Promise<Page<ApiKey>> {
  const { where, ...query } = pageQuery(o);
  const rows = await db.prisma.apiKey.findMany({
    ...query,
    where: { tenantId: o.tenantId, ...where },
  });
  return pageOf(rows, o);
}
