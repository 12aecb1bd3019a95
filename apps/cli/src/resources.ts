import { z } from 'zod';

/** The parts of the API's resources that the command line reads. Unknown members are ignored. */
export const userSchema = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  externalId: z.string().nullable(),
  createdAt: z.string(),
});

const faultSchema = z.object({ code: z.string(), message: z.string() });

export const keySchema = z.object({
  id: z.string(),
  userId: z.string(),
  state: z.enum(['pending', 'awaiting_certificate', 'active', 'failed', 'revoked']),
  algorithm: z.string(),
  certificateMode: z.string(),
  certificateId: z.string().nullable(),
  error: faultSchema.nullable(),
});

export const signingSchema = z.object({
  id: z.string(),
  state: z.enum(['queued', 'signing', 'completed', 'failed', 'canceled']),
  userId: z.string(),
  keyId: z.string(),
  batchId: z.string().nullable(),
  batchIndex: z.number().nullable(),
  source: z.object({ bucket: z.string(), key: z.string() }),
  destination: z.object({ bucket: z.string(), key: z.string() }),
  result: z
    .object({ sha256: z.string(), size: z.number(), level: z.string().nullable() })
    .nullable(),
  metadata: z.record(z.string(), z.string()).nullable(),
  stageMillis: z.record(z.string(), z.number()).nullable(),
  error: faultSchema.nullable(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
});

export const acceptedBatchSchema = z.object({
  id: z.string(),
  total: z.number(),
  rejected: z.number(),
  items: z.array(
    z.object({
      index: z.number(),
      signingId: z.string().optional(),
      problem: z.object({ code: z.string(), detail: z.string() }).optional(),
    }),
  ),
});

export const batchSchema = z.object({
  id: z.string(),
  total: z.number(),
  remaining: z.number(),
  completed: z.number(),
  failed: z.number(),
  canceled: z.number(),
});

export const uploadSchema = z.object({
  bucket: z.string(),
  key: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
});

export const downloadSchema = z.object({ url: z.string() });

export const webhookEndpointSchema = z.object({ id: z.string(), url: z.string() });
export const createdWebhookEndpointSchema = webhookEndpointSchema.extend({ secret: z.string() });

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export type User = z.infer<typeof userSchema>;
export type Key = z.infer<typeof keySchema>;
export type Signing = z.infer<typeof signingSchema>;
export type Batch = z.infer<typeof batchSchema>;
