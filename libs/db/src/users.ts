import { appendAudit, type Actor } from './audit.ts';
import type { Database } from './database.ts';
import { DbError } from './error.ts';
import type { User } from './generated/client.ts';
import { createOnce, type Created, type Idempotency } from './idempotency.ts';
import { newId } from './ids.ts';
import { pageOf, pageQuery, type Page, type PageRequest } from './page.ts';

/** A person or role to sign for. `name` becomes the commonName of certificates. */
export interface NewUser {
  readonly name: string;
  readonly email?: string;
  readonly organization?: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  /** The caller's own identifier, unique in the tenant. */
  readonly externalId?: string;
}

/** Throws DbError `conflict` when the externalId is taken, `idempotency_mismatch`. */
export async function createUser(
  db: Database,
  o: {
    readonly tenantId: string;
    readonly actor: Actor;
    readonly user: NewUser;
    readonly idempotency?: Idempotency;
  },
): Promise<Created<User>> {
  const id = newId('usr');
  const { tenantId, actor } = o;
  return createOnce(
    db,
    { ...o, id },
    async (tx) => {
      const user = await tx.user.create({ data: { id, tenantId, ...o.user } });
      await appendAudit(tx, { tenantId, actor, action: 'user.create', subject: id });
      return user;
    },
    (earlier) => getUser(db, { tenantId, id: earlier }),
  );
}

/** Throws DbError `not_found`. */
export async function getUser(
  db: Database,
  o: { readonly tenantId: string; readonly id: string },
): Promise<User> {
  const found = await db.prisma.user.findFirst({ where: { id: o.id, tenantId: o.tenantId } });
  if (found === null) throw new DbError('not_found', 'there is no such user');
  return found;
}

/** Users of the tenant, newest first. */
export async function listUsers(
  db: Database,
  o: PageRequest & {
    readonly tenantId: string;
    readonly filter?: { readonly externalId?: string };
  },
): Promise<Page<User>> {
  const { where, ...query } = pageQuery(o);
  const rows = await db.prisma.user.findMany({
    ...query,
    where: { tenantId: o.tenantId, ...o.filter, ...where },
  });
  return pageOf(rows, o);
}
