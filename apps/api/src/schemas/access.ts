import { scopes } from '@signfleet/db';
import { z } from 'zod';
import { id, page, pageQuery, text, time } from './primitives.ts';

const scope = z.enum(scopes);

export const newApiKey = z.strictObject({
  name: text(100),
  scopes: z
    .array(scope)
    .min(1)
    .max(scopes.length)
    .transform((given) => [...new Set(given)]),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

export const apiKey = z
  .object({
    id,
    name: z.string(),
    prefix: z.string().meta({ description: 'Public part of the token' }),
    scopes: z.array(z.string()),
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
    createdAt: time,
  })
  .meta({ id: 'ApiKey' });

export const createdApiKey = z
  .object({
    ...apiKey.shape,
    token: z.string().meta({ description: 'sf_…; shown only in this answer' }),
  })
  .meta({ id: 'CreatedApiKey' });

export const newGrant = z
  .strictObject({
    apiKeyId: id,
    userId: id.optional(),
    keyId: id.optional(),
    allKeys: z.literal(true).optional(),
  })
  .refine(
    ({ userId, keyId, allKeys }) =>
      [userId, keyId, allKeys].filter((given) => given !== undefined).length === 1,
    { error: 'Give one of userId, keyId and allKeys', path: ['userId'] },
  );

export const grant = z
  .object({
    id,
    apiKeyId: id,
    userId: id.nullable(),
    keyId: id.nullable(),
    allKeys: z.boolean(),
    createdAt: time,
  })
  .meta({ id: 'Grant' });

export const grantQuery = z.strictObject({ ...pageQuery, apiKeyId: id.optional() });

export const auditEntry = z
  .object({
    tenantId: z.string(),
    position: z.number().int().meta({ description: 'From 1, without gaps' }),
    at: time,
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    details: z.string().meta({ description: 'JSON text, byte for byte as it is hashed' }),
    prevHash: z.string().meta({ description: 'hexadecimal SHA-256' }),
    hash: z.string().meta({ description: 'hexadecimal SHA-256' }),
  })
  .meta({ id: 'AuditEntry' });

export const auditQuery = z.strictObject({
  ...pageQuery,
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

export const auditPage = z.object({
  ...page(auditEntry).shape,
  head: z.object({ position: z.number().int(), hash: z.string() }).nullable().meta({
    description: 'The newest link of the chain: a copy that ends before it is cut short',
  }),
});
