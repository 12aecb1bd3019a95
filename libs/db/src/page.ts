/** Which part of a list, newest first. */
export interface PageRequest {
  /** 1 to 1,000. */
  readonly limit: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** A part of a list; `nextCursor` is there when more follows. */
export interface Page<Row> {
  readonly items: readonly Row[];
  readonly nextCursor?: string;
}

/** What a Prisma query needs for a page in descending order of id: one row more than asked tells whether more follows. */
export function pageQuery(o: PageRequest) {
  return {
    where: o.cursor === undefined ? {} : { id: { lt: o.cursor } },
    orderBy: { id: 'desc' as const },
    take: o.limit + 1,
  };
}

/** The page out of the rows that {@link pageQuery} found. */
export function pageOf<Row extends { readonly id: string }>(
  rows: readonly Row[],
  o: PageRequest,
): Page<Row> {
  const items = rows.slice(0, o.limit);
  const last = items.at(-1);
  return rows.length > o.limit && last !== undefined ? { items, nextCursor: last.id } : { items };
}
