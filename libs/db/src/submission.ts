import type { Idempotency } from './idempotency.ts';
import { GRACE_SECONDS, type SigningRequest } from './signing.ts';

/** Who submits, and whether it may be a repetition. */
export interface Submission {
  readonly tenantId: string;
  readonly apiKeyId: string;
  readonly idempotency?: Idempotency;
}

/** SQL for the values of {@link insertedColumns}, of an item `i` and its key `k`. */
export const itemValues = `i.id, $1, i."keyId", k.user_id, $5, i."sourceBucket", i."sourceKey",
  i."sourceVersionId", i."sourceSha256", i."destinationBucket", i."destinationKey", i.reason,
  i.location, i."contactInfo", i."fieldName", i.metadata, now() + interval '${GRACE_SECONDS} seconds'`;

/** Columns of `signings` that a submission fills. */
export const insertedColumns = `id, tenant_id, key_id, user_id, api_key_id, source_bucket, source_key,
  source_version_id, source_sha256, destination_bucket, destination_key, reason,
  location, contact_info, field_name, metadata, wake_at`;

/** CTE of the submitted items, out of the parameters. */
export const itemsSql = `
  item AS (
    SELECT * FROM jsonb_to_recordset($6::jsonb) AS i(id text, "batchIndex" int, "keyId" text,
      "sourceBucket" text, "sourceKey" text, "sourceVersionId" text, "sourceSha256" text,
      "destinationBucket" text, "destinationKey" text, reason text, location text,
      "contactInfo" text, "fieldName" text, metadata jsonb)
  )`;

/** SQL condition that `k` is the key of the item `i` and can be used. */
export const usableKey = `k.id = i."keyId" AND k.tenant_id = $1 AND k.state = 'active'`;

/** A request as an element of {@link itemsSql}. */
export function itemOf(request: SigningRequest, id: string): Record<string, unknown> {
  const { keyId, source, destination, reason, location, contactInfo, fieldName, metadata } =
    request;
  return {
    id,
    keyId,
    sourceBucket: source.bucket,
    sourceKey: source.key,
    sourceVersionId: source.versionId,
    sourceSha256: source.sha256,
    destinationBucket: destination.bucket,
    destinationKey: destination.key,
    reason,
    location,
    contactInfo,
    fieldName,
    metadata,
  };
}

/** Parameters $1 to $6: tenant, idempotency key and hash, id of what is made, caller, items. */
export function submissionParameters(
  o: Submission,
  resourceId: string,
  items: readonly object[],
): unknown[] {
  return [
    o.tenantId,
    o.idempotency?.key ?? null,
    o.idempotency?.requestHash ?? null,
    resourceId,
    o.apiKeyId,
    JSON.stringify(items),
  ];
}
