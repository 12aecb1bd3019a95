import type { Batch, SubmittedBatch } from '@signfleet/db';
import { z } from 'zod';
import { problemCode } from '../schemas/problem.ts';
import type { acceptedBatch, batch, batchItemResult } from '../schemas/batch.ts';
import { toOptionalTime, toTime } from './time.ts';

const pairs = z.record(z.string(), z.string()).nullable();
const rejectionCount = z.array(z.unknown());

/** The answer to a submission, one result per item in the order of the request. */
export function presentAcceptedBatch(submitted: SubmittedBatch): z.output<typeof acceptedBatch> {
  const items: z.output<typeof batchItemResult>[] = [
    ...submitted.items.map(({ index, id }) => ({ index, signingId: id })),
    ...submitted.rejections.map(({ index, code, message }) => ({
      index,
      problem: { code: problemCode.catch('key_not_active').parse(code), detail: message },
    })),
  ];
  return {
    id: submitted.batch.id,
    total: submitted.batch.total,
    rejected: submitted.rejections.length,
    items: items.sort((a, b) => a.index - b.index),
    createdAt: toTime(submitted.batch.createdAt),
  };
}

/** A batch with its counters as they are now. */
export function presentBatch(row: Batch): z.output<typeof batch> {
  const { id, total, remaining, completed, failed, canceled } = row;
  return {
    id,
    total,
    remaining,
    completed,
    failed,
    canceled,
    rejected: rejectionCount.parse(row.rejections).length,
    metadata: pairs.parse(row.metadata),
    createdAt: toTime(row.createdAt),
    completedAt: toOptionalTime(row.completedAt),
  };
}
