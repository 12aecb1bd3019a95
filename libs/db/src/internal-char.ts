import { ColumnTypeEnum, type SqlDriverAdapter } from '@prisma/driver-adapter-utils';

const OID_CHAR = 18;
const OID_TEXT = 25;

interface Result {
  readonly fields: { dataTypeID: number }[];
  readonly rows: unknown[];
}

/** A script of several statements has several results. */
type Query = (...given: unknown[]) => Promise<Result | Result[]>;

/** A driver adapter of PostgreSQL and the pool under it. */
interface PooledAdapter {
  queryRaw: SqlDriverAdapter['queryRaw'];
  underlyingDriver(): { query: unknown };
}

/**
 * Teaches an adapter the type "char" (one byte, used in PostgreSQL's catalogue), without which the
 * schema engine cannot read a schema. The stock adapter refuses it, so that it is told text, and the
 * engine is told the truth.
 */
export function readInternalChar(adapter: PooledAdapter): void {
  const charColumns = new WeakMap<object, number[]>();
  const pool = adapter.underlyingDriver();
  const query = (pool.query as Query).bind(pool);
  pool.query = async (...given: unknown[]) => {
    const result = await query(...given);
    if (Array.isArray(result)) return result;
    const found: number[] = [];
    for (const [index, field] of result.fields.entries()) {
      if (field.dataTypeID !== OID_CHAR) continue;
      field.dataTypeID = OID_TEXT;
      found.push(index);
    }
    charColumns.set(result.rows, found);
    return result;
  };
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (given) => {
    const result = await queryRaw(given);
    for (const index of charColumns.get(result.rows) ?? []) {
      result.columnTypes[index] = ColumnTypeEnum.Character;
    }
    return result;
  };
}
