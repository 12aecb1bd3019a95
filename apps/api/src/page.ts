import { decodeCursor, encodeCursor } from './cursor.ts';

/** `limit` and `cursor` of a query, as the database lists take them. */
export function pageRequest(query: { limit: number; cursor?: string | undefined }): {
  limit: number;
  cursor?: string;
} {
  const { limit, cursor } = query;
  return cursor === undefined ? { limit } : { limit, cursor: decodeCursor('id', cursor) };
}

/** A page of rows as the API shows it. */
export function presentPage<Row, Item>(
  rows: { readonly items: readonly Row[]; readonly nextCursor?: string },
  present: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  return {
    items: rows.items.map(present),
    nextCursor: rows.nextCursor === undefined ? null : encodeCursor('id', rows.nextCursor),
  };
}
