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

function visibleSigning({ visibleTo: apiKeyId }: Visibility): Prisma.SigningWhereInput {
  if (apiKeyId === undefined) return {};
  const allKeys = { apiKeyId, userId: null, keyId: null };
  return {
    OR: [
      { apiKeyId },
      { user: { grants: { some: { apiKeyId, keyId: null } } } },
      { key: { grants: { some: { apiKeyId, userId: null } } } },
      { tenant: { apiKeys: { some: { id: apiKeyId, grants: { some: allKeys } } } } },
    ],
  };
}

/** One signing of the tenant. Throws DbError `not_found`. */
export async function getSigning(
  db: Database,
  o: Visibility & { readonly tenantId: string; readonly id: string },
): Promise<Signing> {
  const where = { id: o.id, tenantId: o.tenantId, ...visibleSigning(o) };
  const found = await db.prisma.signing.findFirst({ where });
  if (found === null) throw new DbError('not_found', 'there is no such signing');
  return found;
}

/** Signings of the tenant, newest first. */
export async function listSignings(
  db: Database,
  o: PageRequest & Visibility & { readonly tenantId: string; readonly filter?: SigningFilter },
): Promise<Page<Signing>> {
  const { createdAfter, createdBefore, ...equal } = o.filter ?? {};
  const createdAt = {
    ...(createdAfter === undefined ? {} : { gte: createdAfter }),
    ...(createdBefore === undefined ? {} : { lt: createdBefore }),
  };
  const rows = await db.prisma.signing.findMany({
    ...pageQuery(o),
    where: {
      tenantId: o.tenantId,
      ...equal,
      ...pageQuery(o).where,
      ...(Object.keys(createdAt).length === 0 ? {} : { createdAt }),
      ...visibleSigning(o),
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

/** Batches of the tenant, newest first. */
export async function listBatches(
  db: Database,
  o: PageRequest & { readonly tenantId: string },
): Promise<Page<Batch>> {
  const { where, ...query } = pageQuery(o);
  const rows = await db.prisma.batch.findMany({
    ...query,
    where: { tenantId: o.tenantId, ...where },
  });
  return pageOf(rows, o);
}
