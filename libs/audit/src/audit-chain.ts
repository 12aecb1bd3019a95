import { createHash } from 'node:crypto';

/**
 * An entry of a tenant's audit log with its place in the chain, as it goes over the API. This file
 * knows no database, so that whoever holds the entries can check them.
 */
export interface AuditChainEntry {
  readonly tenantId: string;
  /** From 1, without gaps. */
  readonly position: number;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  /** JSON text as it was written; its bytes are hashed. */
  readonly details: string;
  /** Hash of the entry before, hex. */
  readonly prevHash: string;
  readonly hash: string;
}

/** A link of the chain that is known from elsewhere. */
export interface AuditChainLink {
  readonly position: number;
  /** Hex. */
  readonly hash: string;
}

/** What is wrong with the first wrong entry. */
export type AuditChainFault =
  | 'entry_altered'
  | 'entry_missing'
  | 'entry_misplaced'
  | 'link_broken'
  | 'tenant_mixed'
  | 'end_missing'
  | 'head_mismatch';

/** The verdict on a chain, and where it is broken. */
export type AuditChainVerdict =
  | { readonly intact: true; readonly head: AuditChainLink }
  | { readonly intact: false; readonly position: number; readonly fault: AuditChainFault };

/** SHA-256 over the domain and each field preceded by its length (4 bytes, big-endian). */
function hashFields(domain: string, fields: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const field of [domain, ...fields]) {
    const bytes = Buffer.from(field);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest();
}

/** What the first entry of a tenant's chain links to. */
export function auditChainOrigin(tenantId: string): AuditChainLink {
  const hash = hashFields('signfleet audit chain v1', [tenantId]).toString('hex');
  return { position: 0, hash };
}

/** Hash of an entry; covers every field of it but `hash`. */
export function auditEntryHash(entry: Omit<AuditChainEntry, 'hash'>): string {
  const { tenantId, position, at, actor, action, subject, details, prevHash } = entry;
  return hashFields('signfleet audit entry v1', [
    Buffer.from(prevHash, 'hex'),
    tenantId,
    String(position),
    at,
    actor,
    action,
    subject,
    details,
  ]).toString('hex');
}

/** Fault of an entry that should follow `last`, if it has one. */
function faultOf(
  entry: AuditChainEntry,
  tenantId: string,
  last: AuditChainLink,
): AuditChainFault | undefined {
  if (entry.tenantId !== tenantId) return 'tenant_mixed';
  if (entry.position > last.position + 1) return 'entry_missing';
  if (entry.position <= last.position) return 'entry_misplaced';
  if (entry.prevHash !== last.hash) return 'link_broken';
  if (auditEntryHash(entry) !== entry.hash) return 'entry_altered';
  return undefined;
}

/** What the entries are checked against. */
export interface AuditChainExpectation {
  readonly tenantId: string;
  /** The last link of what was checked before; default the chain's origin. */
  readonly after?: AuditChainLink;
  /** The newest link, from `audit_chain_heads` or noted earlier: tells when the end was cut off or all was rewritten. */
  readonly head?: AuditChainLink;
}

/**
 * Checks that the entries, in order of position, are the unaltered continuation of the chain. Long
 * chains are checked part by part, going on `after` the head of the part before.
 */
export function verifyAuditChain(
  entries: Iterable<AuditChainEntry>,
  expected: AuditChainExpectation,
): AuditChainVerdict {
  const { tenantId, head } = expected;
  let last = expected.after ?? auditChainOrigin(tenantId);
  if (head?.position === last.position && head.hash !== last.hash) {
    return { intact: false, position: last.position, fault: 'head_mismatch' };
  }
  for (const entry of entries) {
    const fault = faultOf(entry, tenantId, last);
    if (fault !== undefined) return { intact: false, position: last.position + 1, fault };
    last = { position: entry.position, hash: entry.hash };
    if (head?.position === last.position && head.hash !== last.hash) {
      return { intact: false, position: last.position, fault: 'head_mismatch' };
    }
  }
  if (head !== undefined && head.position > last.position) {
    return { intact: false, position: last.position + 1, fault: 'end_missing' };
  }
  return { intact: true, head: last };
}
