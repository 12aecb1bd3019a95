import { z } from 'zod';
import { id, metadata, time } from './primitives.ts';
import { problemCode } from './problem.ts';

/** The most items of one batch. */
export const maxBatchItems = 10_000;

/** Items are parsed one by one by the route, so that a bad one does not refuse the others. */
export const newBatch = z.strictObject({
  items: z.array(z.unknown()).min(1).max(maxBatchItems).meta({
    description: 'Each like the body of POST /v1/signings',
  }),
  metadata: metadata.optional(),
});

const itemProblem = z.object({ code: problemCode, detail: z.string() });

export const batchItemResult = z
  .object({
    index: z.number().int(),
    signingId: id.optional(),
    problem: itemProblem.optional(),
  })
  .meta({ id: 'BatchItemResult', description: 'Either signingId or problem' });

export const acceptedBatch = z
  .object({
    id,
    total: z.number().int().meta({ description: 'Accepted items' }),
    rejected: z.number().int(),
    items: z.array(batchItemResult),
    createdAt: time,
  })
  .meta({ id: 'AcceptedBatch' });

export const batch = z
  .object({
    id,
    total: z.number().int(),
    remaining: z.number().int(),
    completed: z.number().int(),
    failed: z.number().int(),
    canceled: z.number().int(),
    rejected: z.number().int(),
    metadata: z.record(z.string(), z.string()).nullable(),
    createdAt: time,
    completedAt: time.nullable(),
  })
  .meta({ id: 'Batch' });
