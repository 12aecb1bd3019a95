import { contentSignature } from './signature.ts';

/** The headers of Standard Webhooks. */
export interface WebhookHeaders {
  readonly 'webhook-id': string;
  /** Seconds since 1970. */
  readonly 'webhook-timestamp': string;
  /** `v1,<base64>` per secret, separated by spaces. */
  readonly 'webhook-signature': string;
}

/**
 * Signs one attempt. `id` is the event's id, the same in every attempt, by which the receiver knows
 * a repetition; `timestamp` is the attempt's own. During a rotation `secrets` holds the new and the
 * old one, newest first. Throws {@link WebhooksError} `secret_invalid`.
 */
export function signWebhook(o: {
  readonly id: string;
  readonly timestamp: Date;
  readonly body: string | Uint8Array;
  readonly secrets: readonly [string, ...string[]];
}): WebhookHeaders {
  const timestamp = Math.floor(o.timestamp.getTime() / 1_000);
  const signatures = o.secrets.map((secret) => {
    const signature = contentSignature({ id: o.id, timestamp, body: o.body }, secret);
    return `v1,${signature.toString('base64')}`;
  });
  return {
    'webhook-id': o.id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
