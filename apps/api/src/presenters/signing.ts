import type { Signing } from '@signfleet/db';
import { z } from 'zod';
import type { acceptedSigning, signing } from '../schemas/signing.ts';
import { toOptionalTime, toTime } from './time.ts';

const stages = z.record(z.string(), z.number()).nullable();
const pairs = z.record(z.string(), z.string()).nullable();

/**
 * The answer to a submission. It holds only what never changes afterwards, so that a repeated
 * submission is answered with the same bytes.
 */
export function presentAcceptedSigning(row: Signing): z.output<typeof acceptedSigning> {
  return {
    id: row.id,
    state: 'queued',
    userId: row.userId,
    keyId: row.keyId,
    source: {
      bucket: row.sourceBucket,
      key: row.sourceKey,
      versionId: row.sourceVersionId,
      sha256: row.sourceSha256,
    },
    destination: { bucket: row.destinationBucket, key: row.destinationKey },
    createdAt: toTime(row.createdAt),
  };
}

/** A signing as it is now. */
export function presentSigning(row: Signing): z.output<typeof signing> {
  return {
    ...presentAcceptedSigning(row),
    state: row.state,
    batchId: row.batchId,
    batchIndex: row.batchIndex,
    reason: row.reason,
    location: row.location,
    contactInfo: row.contactInfo,
    fieldName: row.fieldName,
    metadata: pairs.parse(row.metadata),
    attempts: row.attempts,
    result: presentResult(row),
    stageMillis: stages.parse(row.stageMillis),
    error: row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' },
    startedAt: toOptionalTime(row.startedAt),
    finishedAt: toOptionalTime(row.finishedAt),
  };
}

function presentResult(row: Signing): z.output<typeof signing>['result'] {
  if (row.resultSha256 === null || row.resultSize === null) return null;
  return {
    sha256: row.resultSha256,
    size: Number(row.resultSize),
    versionId: row.resultVersionId,
    level: row.level,
    certificateId: row.certificateId,
  };
}
