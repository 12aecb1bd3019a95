import { z } from 'zod';
import type { Signing } from './generated/client.ts';

export type { Signing, SigningState } from './generated/client.ts';

/** Where a document is read. */
export interface SourceObject {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
  /** Lower-case hex; the document must have this hash. */
  readonly sha256?: string;
}

/** Where a signed document is written. */
export interface DestinationObject {
  readonly bucket: string;
  readonly key: string;
}

/** What a caller asks to be signed. */
export interface SigningRequest {
  /** From `newId('sig')`, when the destination is named after it. */
  readonly id?: string;
  readonly keyId: string;
  readonly source: SourceObject;
  readonly destination: DestinationObject;
  readonly reason?: string;
  readonly location?: string;
  readonly contactInfo?: string;
  readonly fieldName?: string;
  /** The caller's own JSON object, handed back in reads and events. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What came of a signing. */
export interface SigningResult {
  /** SHA-256 of the signed document, lower-case hex. */
  readonly sha256: string;
  /** Bytes of the signed document. */
  readonly size: number;
  readonly versionId?: string;
  readonly etag?: string;
  /** Level reached, e.g. "B-B" (ETSI EN 319 142-1). */
  readonly level: string;
  readonly certificateId: string;
  /** Milliseconds by stage. */
  readonly stageMillis: Readonly<Record<string, number>>;
}

/** Seconds after which a row with no sign of life is looked at by the reconciler. */
export const GRACE_SECONDS = 60;

const state = z.enum(['queued', 'signing', 'completed', 'failed', 'canceled']);
const text = z.string();
const optionalText = z.string().nullable();
const optionalDate = z.date().nullable();

/** The fields of a signing, as a row is parsed. */
export const signingFields = {
  id: text,
  tenantId: text,
  batchId: optionalText,
  batchIndex: z.int().nullable(),
  userId: text,
  keyId: text,
  apiKeyId: optionalText,
  state,
  sourceBucket: text,
  sourceKey: text,
  sourceVersionId: optionalText,
  sourceSha256: optionalText,
  destinationBucket: text,
  destinationKey: text,
  reason: optionalText,
  location: optionalText,
  contactInfo: optionalText,
  fieldName: optionalText,
  metadata: z.json().nullable(),
  fencingToken: z.int(),
  attempts: z.int(),
  workerId: optionalText,
  leaseExpiresAt: optionalDate,
  wakeAt: optionalDate,
  resultSha256: optionalText,
  resultSize: z.coerce.bigint().nullable(),
  resultVersionId: optionalText,
  resultEtag: optionalText,
  level: optionalText,
  certificateId: optionalText,
  stageMillis: z.json().nullable(),
  errorCode: optionalText,
  errorMessage: optionalText,
  createdAt: z.date(),
  startedAt: optionalDate,
  finishedAt: optionalDate,
};

/** A row of `signings` selected by {@link signingColumns}. */
export const signingRow: z.ZodType<Signing> = z.object(signingFields);

/** Column name of a field: schema.prisma maps camelCase to snake_case throughout. */
function columnName(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Select list of a signing from the relation `from`, named as in {@link Signing}. */
export function signingColumns(from: string): string {
  return Object.keys(signingFields)
    .map((field) => `${from}.${columnName(field)} AS "${field}"`)
    .join(', ');
}
