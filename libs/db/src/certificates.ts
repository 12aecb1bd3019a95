import { appendAudit, type Actor } from './audit.ts';
import type { Database, PrismaTransaction } from './database.ts';
import { DbError } from './error.ts';
import type { Certificate } from './generated/client.ts';
import { createOnce, type Idempotency } from './idempotency.ts';
import { newId } from './ids.ts';

/** A checked certificate with its issuers (the issuing CA first) and what was read from it. */
export interface NewCertificate {
  /** X.509, DER. */
  readonly der: Uint8Array;
  /** DER each, the issuing CA first; the certificate itself is not among them. */
  readonly issuers: readonly Uint8Array[];
  /** Lower-case hex. */
  readonly serialNumber: string;
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Gives a key the certificate that an outside CA made for it; the key becomes (or stays) active and
 * signs with this certificate from now on. The caller has checked the chain. Throws DbError
 * `not_found`, `invalid_state` (not enrolled yet, failed, or revoked), `conflict` (imported already).
 */
export async function importCertificate(
  db: Database,
  o: {
    readonly tenantId: string;
    readonly actor: Actor;
    readonly keyId: string;
    readonly certificate: NewCertificate;
    readonly idempotency?: Idempotency;
  },
): Promise<Certificate> {
  const id = newId('crt');
  const { resource } = await createOnce(
    db,
    { ...o, id },
    (tx) => insertCertificate(tx, { ...o, id }),
    (earlier) => getCertificate(db, { tenantId: o.tenantId, id: earlier }),
  );
  return resource;
}

async function insertCertificate(
  tx: PrismaTransaction,
  o: {
    readonly id: string;
    readonly tenantId: string;
    readonly actor: Actor;
    readonly keyId: string;
    readonly certificate: NewCertificate;
  },
): Promise<Certificate> {
  const { id, tenantId, actor, keyId } = o;
  const { der, issuers, ...facts } = o.certificate;
  const key = await tx.key.findFirst({ where: { id: keyId, tenantId } });
  if (key === null) throw new DbError('not_found', 'there is no such key');
  const certificate = await tx.certificate.create({
    data: {
      ...facts,
      id,
      tenantId,
      keyId,
      der: Buffer.from(der),
      chain: issuers.map((issuer) => Buffer.from(issuer)),
    },
  });
  const { count } = await tx.key.updateMany({
    where: { id: keyId, state: { in: ['awaiting_certificate', 'active'] } },
    data: {
      state: 'active',
      activeCertificateId: certificate.id,
      activatedAt: key.activatedAt ?? new Date(),
    },
  });
  if (count === 0) {
    throw new DbError('invalid_state', 'the key cannot be given a certificate', {
      details: { state: key.state },
    });
  }
  const details = { certificateId: certificate.id, serialNumber: facts.serialNumber };
  await appendAudit(tx, {
    tenantId,
    actor,
    action: 'certificate.import',
    subject: keyId,
    details,
  });
  return certificate;
}

/** Throws DbError `not_found`. */
export async function getCertificate(
  db: Database,
  o: { readonly tenantId: string; readonly id: string },
): Promise<Certificate> {
  const where = { id: o.id, tenantId: o.tenantId };
  const found = await db.prisma.certificate.findFirst({ where });
  if (found === null) throw new DbError('not_found', 'there is no such certificate');
  return found;
}
