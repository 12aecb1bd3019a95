export {
  openDeliverer,
  type Deliverer,
  type DelivererOptions,
  type Delivery,
  type DeliveryAttempt,
} from './deliverer.ts';
export type { DeliveryErrorCode } from './delivery-error.ts';
export { WebhooksError, type WebhooksErrorCode } from './error.ts';
export { eventBody, type JsonValue } from './event-body.ts';
export { openSecret, parseSealingKey, sealSecret, type SealingKey } from './seal-secret.ts';
export { generateSecret } from './secret.ts';
export { signWebhook, type WebhookHeaders } from './sign-webhook.ts';
export type { Lookup } from './target-address.ts';
export { parseTargetUrl } from './target-url.ts';
export { verifyWebhook, type ReceivedHeaders } from './verify-webhook.ts';
