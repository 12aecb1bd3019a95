import type { PrismaTransaction } from './database.ts';

/**
 * Who acts: `api_key:<id>`, `worker:<id>`, `operator:<name>` or `system`. Shown to auditors.
 */
export type Actor = string;

/** An action to be remembered. `details` are plain facts: no secrets, no document content. */
export interface AuditRecord {
  readonly tenantId: string;
  readonly actor: Actor;
  /** `<noun>.<verb>`, e.g. `key.revoke`. */
  readonly action: string;
  /** Id of what was acted upon. */
  readonly subject: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** JSON with the members of every object in code unit order and no white space, as in RFC 8785. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/**
 * Appends an entry in the acting transaction. It gets its place in the tenant's hash chain later
 * (`sealAuditChain`), so that acting transactions do not wait for each other.
 */
export async function appendAudit(tx: PrismaTransaction, record: AuditRecord): Promise<void> {
  const { details, ...rest } = record;
  await tx.auditEntry.create({ data: { ...rest, details: canonicalJson(details ?? {}) } });
}
