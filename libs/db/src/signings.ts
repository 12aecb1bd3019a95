import type { Database } from './database.ts';
import { DbError } from './error.ts';
import type { Batch, Prisma, Signing, SigningState } from './generated/client.ts';
import { pageOf, pageQuery, type Page, type PageRequest } from './page.ts';

/** Which signings to list. */
export interface SigningFilter {
  readonly state?: SigningState;
  readonly userId?: string;
  readonly keyId?: string;
  readonly batchId?: string;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
}

/** Limits a read to what one caller may see. */
export interface Visibility {
  /** Id of an API key: only what it submitted, and signings with keys that it is granted. */
  readonly visibleTo?: string;
}

async function visibleSigning(
  db: Database,
  { visibleTo: apiKeyId }: Visibility,
): Promise<Prisma.SigningWhereInput> {
  if (apiKeyId === undefined) return {};
  const onAll = await db.prisma.grant.findFirst({ where: { apiKeyId, userId: null, keyId: null } });
  // Who is granted all keys pays nothing for the rest of the condition, which is asked row by row.
  if (onAll !== null) return {};
  return {
    OR: [
      { apiKeyId },
      { user: { grants: { some: { apiKeyId, keyId: null } } } },
      { key: { grants: { some: { apiKeyId, userId: null } } } },
    ],
  };
}

// Ids begin with the time of their making by the submitter's clock: near enough to bound the part of
// the index that is read, while the row's own time decides.
const CLOCK_SKEW_MILLIS = 3_600_000;

function firstIdOf(time: Date, skewMillis: number): string {
  const millis = Math.max(0, time.getTime() + skewMillis);
  return `sig_${millis.toString(16).padStart(12, '0')}`;
}

function createdBetween(filter: SigningFilter): Prisma.SigningWhereInput[] {
  const { createdAfter, createdBefore } = filter;
  return [
    createdAfter === undefined
      ? {}
      : {
          createdAt: { gte: createdAfter },
          id: { gte: firstIdOf(createdAfter, -CLOCK_SKEW_MILLIS) },
        },
    createdBefore === undefined
      ? {}
      : {
          createdAt: { lt: createdBefore },
          id: { lt: firstIdOf(createdBefore, CLOCK_SKEW_MILLIS) },
        },
  ];
}

/** One signing of the tenant. Throws DbError `not_found`. */
export async function getSigning(
  db: Database,
  o: Visibility & { readonly tenantId: string; readonly id: string },
): Promise<Signing> {
  const where = { id: o.id, tenantId: o.tenantId, ...(await visibleSigning(db, o)) };
  const found = await db.prisma.signing.findFirst({ where });
  if (found === null) throw new DbError('not_found', 'there is no such signing');
  return found;
}

/** Signings of the tenant, newest first. */
export async function listSignings(
  db: Database,
  o: PageRequest & Visibility & { readonly tenantId: string; readonly filter?: SigningFilter },
): Promise<Page<Signing>> {
  const { state, userId, keyId, batchId } = o.filter ?? {};
  const { where, ...query } = pageQuery(o);
  const equal = {
    ...(state === undefined ? {} : { state }),
    ...(userId === undefined ? {} : { userId }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(batchId === undefined ? {} : { batchId }),
  };
  const rows = await db.prisma.signing.findMany({
    ...query,
    where: {
      tenantId: o.tenantId,
      ...equal,
      AND: [where, ...createdBetween(o.filter ?? {}), await visibleSigning(db, o)],
    },
  });
  return pageOf(rows, o);
}

/** One batch of the tenant with its counters. Throws DbError `not_found`. */
export async function getBatch(
  db: Database,
  o: Visibility & { readonly tenantId: string; readonly id: string },
): Promise<Batch> {
  const submitter = o.visibleTo === undefined ? {} : { apiKeyId: o.visibleTo };
  const where = { id: o.id, tenantId: o.tenantId, ...submitter };
  const found = await db.prisma.batch.findFirst({ where });
  if (found === null) throw new DbError('not_found', 'there is no such batch');
  return found;
}
