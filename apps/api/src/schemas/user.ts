import { z } from 'zod';
import { id, pageQuery, text, time } from './primitives.ts';

export const newUser = z.strictObject({
  name: text(64).meta({ description: 'commonName of the user’s certificates' }),
  email: z.email().max(254).optional(),
  organization: text(64).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, { error: 'Two capital letters (ISO 3166-1 alpha-2)' })
    .optional(),
  externalId: text(200)
    .optional()
    .meta({ description: 'Your own identifier, unique in the tenant' }),
});

export const user = z
  .object({
    id,
    name: z.string(),
    email: z.string().nullable(),
    organization: z.string().nullable(),
    country: z.string().nullable(),
    externalId: z.string().nullable(),
    createdAt: time,
  })
  .meta({ id: 'User' });

export const userQuery = z.strictObject({ ...pageQuery, externalId: text(200).optional() });
