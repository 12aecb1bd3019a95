import { appendAudit, type Actor } from './audit.ts';
import type { Database } from './database.ts';
import { DbError } from './error.ts';
import type { CertificateMode, Key as KeyRow, KeyState } from './generated/client.ts';
import { createOnce, type Created, type Idempotency } from './idempotency.ts';
import { newId } from './ids.ts';
import { pageOf, pageQuery, type Page, type PageRequest } from './page.ts';
import { GRACE_SECONDS } from './signing.ts';

/** A key as everybody may read it: the wrapped private key is handed out by claims alone. */
export type Key = Omit<KeyRow, 'wrappedKey'>;

/** Orders a key for a user, state `pending`. Throws DbError `not_found` when the tenant has no such user. */
export async function createKey(
  db: Database,
  o: {
    readonly tenantId: string;
    readonly actor: Actor;
    readonly userId: string;
    readonly algorithm: string;
    readonly certificateMode: CertificateMode;
    readonly idempotency?: Idempotency;
  },
): Promise<Created<Key>> {
  const id = newId('key');
  const { tenantId, actor, userId, algorithm, certificateMode } = o;
  return createOnce(
    db,
    { ...o, id },
    async (tx) => {
      const user = await tx.user.findFirst({ where: { id: userId, tenantId } });
      if (user === null) throw new DbError('not_found', 'there is no such user');
      await tx.key.create({ data: { id, tenantId, userId, algorithm, certificateMode } });
      // By the clock that the reconciler asks: the caller's may be wrong.
      await tx.$executeRaw`UPDATE keys SET wake_at = now() + make_interval(secs => ${GRACE_SECONDS})
        WHERE id = ${id}`;
      const key = await tx.key.findUniqueOrThrow({ where: { id } });
      const details = { userId, algorithm, certificateMode };
      await appendAudit(tx, { tenantId, actor, action: 'key.create', subject: id, details });
      return key;
    },
    (earlier) => getKey(db, { tenantId, id: earlier }),
  );
}

/** Throws DbError `not_found`. */
export async function getKey(
  db: Database,
  o: { readonly tenantId: string; readonly id: string },
): Promise<Key> {
  const found = await db.prisma.key.findFirst({ where: { id: o.id, tenantId: o.tenantId } });
  if (found === null) throw new DbError('not_found', 'there is no such key');
  return found;
}

/** Keys of the tenant, newest first. */
export async function listKeys(
  db: Database,
  o: PageRequest & {
    readonly tenantId: string;
    readonly filter?: { readonly userId?: string; readonly state?: KeyState };
  },
): Promise<Page<Key>> {
  const { where, ...query } = pageQuery(o);
  const rows = await db.prisma.key.findMany({
    ...query,
    where: { tenantId: o.tenantId, ...o.filter, ...where },
  });
  return pageOf(rows, o);
}

/** Ends the use of a key for good. Throws DbError `not_found`, `invalid_state` when it is revoked already. */
export async function revokeKey(
  db: Database,
  o: {
    readonly tenantId: string;
    readonly actor: Actor;
    readonly id: string;
    readonly reason: string;
  },
): Promise<Key> {
  const { tenantId, actor, id, reason } = o;
  return db.prismaTransaction(async (tx) => {
    const { count } = await tx.key.updateMany({
      where: { id, tenantId, state: { not: 'revoked' } },
      data: {
        state: 'revoked',
        revokedAt: new Date(),
        revocationReason: reason,
        wakeAt: null,
        leaseExpiresAt: null,
      },
    });
    const key = await tx.key.findFirst({ where: { id, tenantId } });
    if (key === null) throw new DbError('not_found', 'there is no such key');
    if (count === 0) throw new DbError('invalid_state', 'the key is revoked already');
    await appendAudit(tx, {
      tenantId,
      actor,
      action: 'key.revoke',
      subject: id,
      details: { reason },
    });
    return key;
  });
}
