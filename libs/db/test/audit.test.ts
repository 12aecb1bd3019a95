import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { auditEntryHash, verifyAuditChain, type AuditChainEntry } from '@signfleet/audit';
import {
  getAuditChainHead,
  listAuditEntries,
  openDatabase,
  sealAuditChain,
  type Database,
} from '../src/index.ts';
import { addSigning, addTenant, type Tenant } from './records.ts';
import { startTestDatabase, type TestDatabase } from './test-database.ts';

let server: TestDatabase;
let db: Database;
let tenant: Tenant;

beforeAll(async () => {
  server = await startTestDatabase();
  db = server.db;
  tenant = await addTenant(db);
  const other = await addTenant(db);
  for (let n = 0; n < 20; n += 1) {
    await Promise.all([addSigning(db, tenant), addSigning(db, other)]);
  }
});
afterAll(() => server.close());

async function chain(): Promise<AuditChainEntry[]> {
  return listAuditEntries(db, { tenantId: tenant.tenantId, limit: 10_000 });
}

describe('sealing', () => {
  it('chains each tenant by itself without gaps, also when several sealers and writers run', async () => {
    const sealed = await Promise.all([
      sealAuditChain(db, { batchSize: 7 }),
      sealAuditChain(db, { batchSize: 5 }),
      addSigning(db, tenant).then(() => 0),
      sealAuditChain(db),
    ]);
    const rest = await sealAuditChain(db);
    const total = sealed.reduce((sum, count) => sum + count, rest);
    expect(await db.prisma.auditEntry.count()).toBe(total);
    const entries = await chain();
    expect(entries.map((entry) => entry.position)).toEqual(entries.map((_, index) => index + 1));
    const head = await getAuditChainHead(db, tenant);
    expect(head).toEqual({ position: entries.length, hash: entries.at(-1)?.hash });
    expect(verifyAuditChain(entries, { ...tenant, ...(head === null ? {} : { head }) })).toEqual({
      intact: true,
      head,
    });
    expect(await sealAuditChain(db)).toBe(0);
  });

  it('does not wait for a sealer that holds the lock and has gone silent', async () => {
    const silent = openDatabase({ url: server.url, queryTimeoutMillis: 300 });
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    let hold = (): void => undefined;
    const held = new Promise<void>((resolve) => (hold = resolve));
    const holding = silent.transaction(async (tx) => {
      const text = 'SELECT pg_advisory_xact_lock(7461103)::text';
      await tx.query({ name: 'test_lock', text, row: z.object({}) }, []);
      hold();
      await left;
    });
    try {
      await addSigning(db, tenant);
      await held;
      expect(await sealAuditChain(db)).toBe(1);
    } finally {
      leave();
      await expect(holding).rejects.toMatchObject({ code: 'unavailable' });
      await silent.close();
    }
  });

  it('goes on where it ended', async () => {
    const before = await getAuditChainHead(db, tenant);
    await addSigning(db, tenant);
    expect(await sealAuditChain(db)).toBe(1);
    const afterPosition = before?.position ?? 0;
    const added = await listAuditEntries(db, { ...tenant, afterPosition, limit: 10 });
    expect(added).toHaveLength(1);
    const verdict = verifyAuditChain(added, {
      ...tenant,
      after: before ?? { position: 0, hash: '' },
    });
    expect(verdict.intact).toBe(true);
  });
});

describe('a chain', () => {
  let entries: AuditChainEntry[];

  beforeAll(async () => {
    await sealAuditChain(db);
    entries = await chain();
  });

  function verdict(changed: AuditChainEntry[]) {
    const last = entries.at(-1)!;
    const head = { position: last.position, hash: last.hash };
    return verifyAuditChain(changed, { tenantId: tenant.tenantId, head });
  }

  it('is broken by a change of any field', () => {
    const fields = ['at', 'actor', 'action', 'subject', 'details', 'hash', 'prevHash'] as const;
    for (const field of fields) {
      const changed = entries.map((entry) =>
        entry.position === 5 ? { ...entry, [field]: `${entry[field].slice(0, -1)}0x` } : entry,
      );
      expect(verdict(changed)).toMatchObject({ intact: false, position: 5 });
    }
  });

  it('is broken by moving text between fields', () => {
    const changed = entries.map((entry) =>
      entry.position === 5
        ? { ...entry, actor: entry.actor + entry.action[0]!, action: entry.action.slice(1) }
        : entry,
    );
    expect(verdict(changed)).toEqual({ intact: false, position: 5, fault: 'entry_altered' });
  });

  it('is broken by a change that was hashed again', () => {
    const changed = entries.map((entry) => {
      const edited = { ...entry, actor: 'nobody' };
      return entry.position === 5 ? { ...edited, hash: auditEntryHash(edited) } : entry;
    });
    expect(verdict(changed)).toEqual({ intact: false, position: 6, fault: 'link_broken' });
  });

  it('is broken by leaving an entry out, at the start, within and at the end', () => {
    const without = (position: number) => entries.filter((entry) => entry.position !== position);
    expect(verdict(without(1))).toEqual({ intact: false, position: 1, fault: 'entry_missing' });
    expect(verdict(without(5))).toEqual({ intact: false, position: 5, fault: 'entry_missing' });
    const end = entries.length;
    expect(verdict(without(end))).toEqual({ intact: false, position: end, fault: 'end_missing' });
    expect(verdict([])).toEqual({ intact: false, position: 1, fault: 'end_missing' });
  });

  it('is broken by leaving an entry out and numbering the rest anew', () => {
    const renumbered = entries
      .filter((entry) => entry.position !== 5)
      .map((entry, index) => ({ ...entry, position: index + 1 }));
    expect(verdict(renumbered)).toEqual({ intact: false, position: 5, fault: 'link_broken' });
  });

  it('is broken by exchanging, repeating or inserting entries', () => {
    const exchanged = [...entries];
    [exchanged[3], exchanged[4]] = [entries[4]!, entries[3]!];
    expect(verdict(exchanged)).toEqual({ intact: false, position: 4, fault: 'entry_missing' });
    const repeated = entries.toSpliced(5, 0, entries[4]!);
    expect(verdict(repeated)).toEqual({ intact: false, position: 6, fault: 'entry_misplaced' });
    const forged = { ...entries[4]!, position: 6, prevHash: entries[4]!.hash, actor: 'nobody' };
    const inserted = entries.toSpliced(5, 0, { ...forged, hash: auditEntryHash(forged) });
    expect(verdict(inserted)).toEqual({ intact: false, position: 7, fault: 'entry_misplaced' });
  });

  it('is broken by an entry of another tenant, and by a whole chain made anew', () => {
    const mixed = entries.map((entry) =>
      entry.position === 2 ? { ...entry, tenantId: 'ten_other' } : entry,
    );
    expect(verdict(mixed)).toEqual({ intact: false, position: 2, fault: 'tenant_mixed' });
    let prevHash = entries[0]!.prevHash;
    const rewritten = entries.map((entry) => {
      const edited = { ...entry, actor: 'nobody', prevHash };
      prevHash = auditEntryHash(edited);
      return { ...edited, hash: prevHash };
    });
    const end = entries.length;
    expect(verdict(rewritten)).toEqual({ intact: false, position: end, fault: 'head_mismatch' });
  });
});

describe('the database', () => {
  it('refuses to change, remove or seal anew what is in the log', async () => {
    const sealed = { where: { tenantId: tenant.tenantId, position: 3 } };
    const attempts = [
      () => db.prisma.auditEntry.updateMany({ ...sealed, data: { actor: 'nobody' } }),
      () => db.prisma.auditEntry.updateMany({ ...sealed, data: { position: 9_999 } }),
      () => db.prisma.auditEntry.deleteMany(sealed),
      () => db.prisma.auditChainHead.deleteMany(),
      () => db.prisma.auditChainHead.updateMany({ data: { position: 1 } }),
      () => db.prisma.$executeRaw`TRUNCATE audit_entries`,
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({ code: 'constraint' });
    }
    await addSigning(db, tenant);
    const unsealed = { where: { tenantId: tenant.tenantId, position: null } };
    await expect(db.prisma.auditEntry.deleteMany(unsealed)).rejects.toMatchObject({
      code: 'constraint',
    });
    const edit = db.prisma.auditEntry.updateMany({ ...unsealed, data: { details: '{}' } });
    await expect(edit).rejects.toMatchObject({ code: 'constraint' });
  });

  it('does not hide an edit by somebody who gets around its triggers', async () => {
    await sealAuditChain(db);
    await db.prisma.$executeRaw`ALTER TABLE audit_entries DISABLE TRIGGER ALL`;
    await db.prisma.auditEntry.updateMany({
      where: { tenantId: tenant.tenantId, position: 3 },
      data: { subject: 'somebody else' },
    });
    await db.prisma.$executeRaw`ALTER TABLE audit_entries ENABLE TRIGGER ALL`;
    const verdict = verifyAuditChain(await chain(), tenant);
    expect(verdict).toEqual({ intact: false, position: 3, fault: 'entry_altered' });
  });
});
