import { Prisma } from './generated/client.ts';
import { DbError, type DbErrorCode } from './error.ts';

/** SQLSTATEs (PostgreSQL, appendix A) and network errors by what the caller can do about them. */
const codeBySqlState: readonly (readonly [RegExp, DbErrorCode])[] = [
  [/^23505$/, 'conflict'],
  [/^23/, 'constraint'],
  [/^(08|57P|53|40)/, 'unavailable'],
  // 25006: a failover has left this connection with a server that only reads.
  [/^(25006|25P03|57014|55P03)$/, 'unavailable'],
];

const codeByPrismaCode: Readonly<Record<string, DbErrorCode>> = {
  P1001: 'unavailable',
  P1002: 'unavailable',
  P1008: 'unavailable',
  P1017: 'unavailable',
  P2024: 'unavailable',
  P2028: 'unavailable',
  P2034: 'unavailable',
  P2037: 'unavailable',
  P2002: 'conflict',
  P2003: 'constraint',
  P2004: 'constraint',
  P2025: 'not_found',
};

const lostConnection =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT)$/;

// pg reports these without a code.
const lostConnectionText =
  /Connection terminated|connection timeout|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Server has closed the connection|Can't reach database server/i;

const messages: Readonly<Record<DbErrorCode, string>> = {
  unavailable: 'the database is not available',
  conflict: 'a row with the same unique value exists',
  not_found: 'the row does not exist',
  invalid_state: 'the state of the row forbids this',
  idempotency_mismatch: 'the idempotency key was used with another request',
  constraint: 'the database refused the change',
  invalid_input: 'an argument is outside its bounds',
  migration_failed: 'the database schema could not be migrated',
  unexpected: 'the database reported an error that was not foreseen',
};

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** Every code found on the error, on its causes, and where Prisma's driver adapters put the original. */
function* codesOf(fault: unknown, depth = 0): Generator<string> {
  if (fault === undefined || fault === null || depth > 5) return;
  for (const name of ['originalCode', 'code'] as const) {
    const code = property(fault, name);
    if (typeof code === 'string') yield code;
  }
  const meta = property(fault, 'meta');
  yield* codesOf(property(meta, 'driverAdapterError'), depth + 1);
  yield* codesOf(property(fault, 'cause'), depth + 1);
}

function classify(fault: unknown): DbErrorCode {
  let prismaCode: DbErrorCode | undefined;
  for (const code of codesOf(fault)) {
    if (lostConnection.test(code)) return 'unavailable';
    const bySqlState = codeBySqlState.find(([pattern]) => pattern.test(code));
    if (bySqlState !== undefined && code.length === 5 && !code.startsWith('P')) {
      return bySqlState[1];
    }
    prismaCode ??= codeByPrismaCode[code];
  }
  if (prismaCode !== undefined) return prismaCode;
  if (fault instanceof Error && lostConnectionText.test(fault.message)) return 'unavailable';
  if (fault instanceof Prisma.PrismaClientInitializationError) return 'unavailable';
  return 'unexpected';
}

/** The DbError for whatever pg or Prisma threw. The original, which may quote values, is only its cause. */
export function toDbError(fault: unknown): DbError {
  if (fault instanceof DbError) return fault;
  const code = classify(fault);
  return new DbError(code, messages[code], { cause: fault });
}
