import { z } from 'zod';
import { fault } from './key.ts';
import { bucketName, id, metadata, objectKey, pageQuery, text, time } from './primitives.ts';

export const signingState = z.enum(['queued', 'signing', 'completed', 'failed', 'canceled']);

const source = z.strictObject({
  bucket: bucketName,
  key: objectKey,
  versionId: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[\x21-\x7e]+$/, { error: 'Use visible ASCII characters' })
    .optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: '64 lower-case hexadecimal digits' })
    .optional(),
});

const destination = z.strictObject({ bucket: bucketName, key: objectKey });

const newSigningFields = z.strictObject({
  keyId: id.optional(),
  userId: id.optional().meta({ description: 'Signs with this user’s newest active key' }),
  source,
  destination: destination.optional().meta({
    description:
      'By default the bucket of the source and signed/<signing id>.pdf, in the upload bucket inside the tenant’s folder',
  }),
  reason: text(256).optional(),
  location: text(256).optional(),
  contactInfo: text(256).optional(),
  fieldName: text(128)
    .regex(/^[^.]+$/, { error: 'A partial field name has no period (ISO 32000-2, 12.7.4.2)' })
    .optional(),
  metadata: metadata.optional(),
});

export const newSigning = newSigningFields.refine(
  ({ keyId, userId }) => (keyId === undefined) !== (userId === undefined),
  { error: 'Give either keyId or userId', path: ['keyId'] },
);

export type NewSigningBody = z.output<typeof newSigning>;

/** The answer to a submission: what was asked, as it was accepted. */
export const acceptedSigning = z
  .object({
    id,
    state: z.literal('queued'),
    userId: id,
    keyId: id,
    source: z.object({
      bucket: z.string(),
      key: z.string(),
      versionId: z.string().nullable(),
      sha256: z.string().nullable(),
    }),
    destination: z.object({ bucket: z.string(), key: z.string() }),
    createdAt: time,
  })
  .meta({ id: 'AcceptedSigning' });

export const signing = z
  .object({
    ...acceptedSigning.shape,
    state: signingState,
    batchId: id.nullable(),
    batchIndex: z.number().int().nullable(),
    reason: z.string().nullable(),
    location: z.string().nullable(),
    contactInfo: z.string().nullable(),
    fieldName: z.string().nullable(),
    metadata: z.record(z.string(), z.string()).nullable(),
    attempts: z.number().int(),
    result: z
      .object({
        sha256: z.string(),
        size: z.number().int(),
        versionId: z.string().nullable(),
        level: z.string().nullable(),
        certificateId: id.nullable(),
      })
      .nullable(),
    stageMillis: z.record(z.string(), z.number()).nullable(),
    error: fault.nullable(),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
  })
  .meta({ id: 'Signing' });

export const signingQuery = z.strictObject({
  ...pageQuery,
  state: signingState.optional(),
  userId: id.optional(),
  keyId: id.optional(),
  batchId: id.optional(),
  createdAfter: z.iso.datetime({ offset: true }).optional(),
  createdBefore: z.iso.datetime({ offset: true }).optional(),
});

export const download = z.object({ url: z.string(), expiresAt: time }).meta({ id: 'Download' });

export const newUpload = z.strictObject({});

export const upload = z
  .object({
    bucket: z.string(),
    key: z.string(),
    method: z.literal('PUT'),
    url: z.string(),
    headers: z.record(z.string(), z.string()).meta({ description: 'To be sent with the PUT' }),
    expiresAt: time,
  })
  .meta({ id: 'Upload' });
