import { z } from 'zod';
import { id, pageQuery, text, time } from './primitives.ts';

export const eventType = z.enum([
  'signing.completed',
  'signing.failed',
  'signing.canceled',
  'batch.completed',
  'key.enrolled',
  'key.failed',
]);

const target = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine(hasNoCredentials, {
    error: 'A URL with a user name or a password is not allowed',
  });

function hasNoCredentials(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username === '' && password === '';
}

const eventTypes = z.array(eventType).max(20);

export const newWebhookEndpoint = z.strictObject({
  url: target,
  description: text(200).optional(),
  eventTypes: eventTypes.default([]).meta({ description: 'Empty: all events' }),
});

export const webhookEndpointChange = z.strictObject({
  url: target.optional(),
  description: text(200).optional(),
  eventTypes: eventTypes.optional(),
  enabled: z.boolean().optional(),
});

export const webhookEndpoint = z
  .object({
    id,
    url: z.string(),
    description: z.string().nullable(),
    eventTypes: z.array(z.string()),
    enabled: z.boolean(),
    createdAt: time,
  })
  .meta({ id: 'WebhookEndpoint' });

export const createdWebhookEndpoint = z
  .object({
    ...webhookEndpoint.shape,
    secret: z.string().meta({ description: 'whsec_…; shown only in this answer' }),
  })
  .meta({ id: 'CreatedWebhookEndpoint' });

export const event = z
  .object({
    id,
    type: z.string(),
    subject: z.string().meta({ description: 'Id of the resource it tells of' }),
    data: z.record(z.string(), z.unknown()),
    createdAt: time,
  })
  .meta({ id: 'Event' });

export const eventQuery = z.strictObject(pageQuery);
