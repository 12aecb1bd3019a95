import { WebhooksError } from './error.ts';

/** A JSON value. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

const eventType = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/;

/**
 * The body of a webhook, `{"type":"signing.completed","timestamp":"…Z","data":{…}}` (Standard
 * Webhooks, "Payload structure"). `timestamp` is when the event happened, so each attempt sends the
 * same bytes. Throws {@link WebhooksError} `event_invalid`.
 */
export function eventBody(o: {
  readonly type: string;
  readonly timestamp: Date;
  readonly data: { readonly [name: string]: JsonValue };
}): string {
  if (!eventType.test(o.type)) {
    throw new WebhooksError('event_invalid', 'an event type is lower-case words joined by dots');
  }
  if (Number.isNaN(o.timestamp.getTime())) {
    throw new WebhooksError('event_invalid', 'an event has a time');
  }
  return JSON.stringify({ type: o.type, timestamp: o.timestamp.toISOString(), data: o.data });
}
