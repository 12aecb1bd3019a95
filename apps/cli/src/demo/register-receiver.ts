import { verifyWebhook } from '@signfleet/webhooks';
import { z } from 'zod';
import type { ApiClient } from '../api-client.ts';
import { collectAll } from '../list-all.ts';
import { createdWebhookEndpointSchema, webhookEndpointSchema } from '../resources.ts';
import type { WebhookReceiver } from './webhook-receiver.ts';

const description = 'demo receiver';

/** Makes the receiver the tenant's endpoint, in place of the one of an earlier run. */
export async function registerReceiver(api: ApiClient, receiver: WebhookReceiver): Promise<void> {
  const path = '/v1/webhook-endpoints';
  const item = webhookEndpointSchema.extend({ description: z.string().nullable() });
  for (const endpoint of await collectAll(api, { path, item })) {
    if (endpoint.description !== description) continue;
    await api.call({ method: 'DELETE', path: `${path}/${endpoint.id}`, schema: z.unknown() });
  }
  const { secret } = await api.call({
    method: 'POST',
    path,
    body: { url: receiver.url, description },
    schema: createdWebhookEndpointSchema,
  });
  receiver.trust((body, headers) => {
    verifyWebhook({ body, headers, secrets: [secret] });
  });
}
