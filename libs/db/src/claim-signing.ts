import { z } from 'zod';
import type { Database } from './database.ts';
import { signingColumns, signingFields } from './signing.ts';
import type { Signing } from './signing.ts';

/** The record of a key as the HSM's enrolment key has signed it. */
export interface WrappedKey {
  readonly tenantId: string;
  readonly userId: string;
  readonly keyId: string;
  readonly algorithm: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly keyEncryptionKeyId: string;
  readonly wrappedKey: Uint8Array;
  readonly bindingSignature: Uint8Array;
}

/** A signing held by one worker until its lease expires, with what is needed to sign. */
export interface ClaimedSigning {
  readonly signing: Signing;
  /** Proves the claim: completion and release are refused to whoever holds an older one. */
  readonly fencingToken: number;
  readonly keyState: 'pending' | 'awaiting_certificate' | 'active' | 'failed' | 'revoked';
  /** Undefined unless the key is active. */
  readonly key?: {
    readonly record: WrappedKey;
    readonly certificateId: string;
    /** DER, leaf first. */
    readonly certificateChain: readonly Uint8Array[];
  };
}

/** Why there is no claim: no such row, already final, or held by another worker. */
export interface ClaimRefusal {
  readonly refused: 'not_found' | 'not_queued' | 'held';
}

const bytes = z.instanceof(Uint8Array);

const claimRow = z.object({
  ...signingFields,
  keyState: z.enum(['pending', 'awaiting_certificate', 'active', 'failed', 'revoked']),
  keyAlgorithm: z.string(),
  keyPublicKey: bytes.nullable(),
  keyEncryptionKeyId: z.string().nullable(),
  keyWrapped: bytes.nullable(),
  keyBinding: bytes.nullable(),
  activeCertificateId: z.string().nullable(),
  certificateDer: bytes.nullable(),
  certificateIssuers: z.array(bytes).nullable(),
});

// The use of the key is audited by the claim, before the key can be used.
const claim = {
  name: 'signing_claim',
  text: `WITH claimed AS (
      UPDATE signings SET state = 'signing', fencing_token = fencing_token + 1, attempts = attempts + 1,
        worker_id = $2, lease_expires_at = now() + make_interval(secs => $3),
        wake_at = now() + make_interval(secs => $3), started_at = coalesce(started_at, now())
      WHERE id = $1 AND (state = 'queued' OR (state = 'signing' AND lease_expires_at < now()))
      RETURNING *
    ),
    audited AS (
      INSERT INTO audit_entries (tenant_id, actor, action, subject, details)
      SELECT s.tenant_id, 'worker:' || $2, CASE k.state WHEN 'active' THEN 'key.use' ELSE 'key.refuse' END,
        s.key_id, jsonb_build_object('signingId', s.id, 'userId', s.user_id, 'fencingToken', s.fencing_token,
          'apiKeyId', s.api_key_id, 'sourceBucket', s.source_bucket, 'sourceKey', s.source_key,
          'sourceVersionId', s.source_version_id, 'sourceSha256', s.source_sha256)::text
      FROM claimed s JOIN keys k ON k.id = s.key_id
    )
    SELECT ${signingColumns('s')}, k.state AS "keyState", k.algorithm AS "keyAlgorithm",
      k.public_key AS "keyPublicKey", k.key_encryption_key_id AS "keyEncryptionKeyId",
      CASE k.state WHEN 'active' THEN k.wrapped_key END AS "keyWrapped", k.binding_signature AS "keyBinding",
      k.active_certificate_id AS "activeCertificateId", c.der AS "certificateDer",
      c.chain AS "certificateIssuers"
    FROM claimed s JOIN keys k ON k.id = s.key_id LEFT JOIN certificates c ON c.id = k.active_certificate_id`,
  row: claimRow,
};

type ClaimRow = z.infer<typeof claimRow>;
type KeyPart = Omit<ClaimRow, keyof Signing>;

function usableKey(owner: Signing, key: KeyPart): ClaimedSigning['key'] {
  const { keyPublicKey, keyEncryptionKeyId, keyWrapped, keyBinding } = key;
  const { activeCertificateId, certificateDer, certificateIssuers } = key;
  if (key.keyState !== 'active' || keyPublicKey === null || keyEncryptionKeyId === null) {
    return undefined;
  }
  if (keyWrapped === null || keyBinding === null || activeCertificateId === null) return undefined;
  if (certificateDer === null) return undefined;
  return {
    record: {
      tenantId: owner.tenantId,
      userId: owner.userId,
      keyId: owner.keyId,
      algorithm: key.keyAlgorithm,
      publicKey: keyPublicKey,
      keyEncryptionKeyId,
      wrappedKey: keyWrapped,
      bindingSignature: keyBinding,
    },
    certificateId: activeCertificateId,
    certificateChain: [certificateDer, ...(certificateIssuers ?? [])],
  };
}

async function refusal(db: Database, id: string): Promise<ClaimRefusal> {
  const row = await db.prisma.signing.findUnique({ where: { id }, select: { state: true } });
  if (row === null) return { refused: 'not_found' };
  // Queued now means that its holder gave it back between the two statements: another job will come.
  return { refused: row.state === 'signing' || row.state === 'queued' ? 'held' : 'not_queued' };
}

/**
 * Takes a queued signing, or one whose holder's lease has expired, in one round trip: of concurrent
 * claims one wins. Counts an attempt and appends `key.use` to the audit log (`key.refuse` when the
 * key is not active). `leaseSeconds` may be fractional.
 */
export async function claimSigning(
  db: Database,
  o: { readonly id: string; readonly workerId: string; readonly leaseSeconds: number },
): Promise<ClaimedSigning | ClaimRefusal> {
  const [row] = await db.query(claim, [o.id, o.workerId, o.leaseSeconds]);
  if (row === undefined) return refusal(db, o.id);
  const { keyState, keyAlgorithm, keyPublicKey, keyEncryptionKeyId, ...rest } = row;
  const {
    keyWrapped,
    keyBinding,
    activeCertificateId,
    certificateDer,
    certificateIssuers,
    ...signing
  } = rest;
  const key = usableKey(signing, {
    keyState,
    keyAlgorithm,
    keyPublicKey,
    keyEncryptionKeyId,
    keyWrapped,
    keyBinding,
    activeCertificateId,
    certificateDer,
    certificateIssuers,
  });
  return {
    signing,
    fencingToken: signing.fencingToken,
    keyState,
    ...(key === undefined ? {} : { key }),
  };
}
