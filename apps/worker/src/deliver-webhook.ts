import {
  claimDelivery,
  recordDeliveryAttempt,
  type ClaimedDelivery,
  type Database,
  type DeliveryNext,
} from '@signfleet/db';
import { retryDelay, type JobOutcome } from '@signfleet/jobs';
import {
  eventBody,
  openSecret,
  WebhooksError,
  type Deliverer,
  type DeliveryAttempt,
  type JsonValue,
  type SealingKey,
} from '@signfleet/webhooks';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';
import { afterRefusal } from './refusal.ts';

/** What deliveries need. */
export interface DeliveryContext {
  readonly database: Database;
  readonly deliverer: Pick<Deliverer, 'deliver'>;
  readonly sealingKey: SealingKey;
  /** Longer than the deliverer's timeout. */
  readonly leaseSeconds: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** An attempt that ended before there was a request; its code is mostly one of the webhooks lib. */
interface Unsent {
  readonly delivered: false;
  readonly error: WebhooksError['code'] | 'endpoint_disabled';
  readonly durationMs: 0;
}

type Attempt = DeliveryAttempt | Unsent;

/**
 * Makes one attempt to deliver one event to one endpoint, and writes down how it went and what
 * follows. An attempt whose record is lost is made again: receivers know a repetition by its
 * `webhook-id`.
 */
export async function deliverWebhook(context: DeliveryContext, id: string): Promise<JobOutcome> {
  const { database, metrics } = context;
  const log = context.log.child({ deliveryId: id });
  const claimed = await claimDelivery(database, { id, leaseSeconds: context.leaseSeconds });
  if ('refused' in claimed) {
    log.debug({ refused: claimed.refused }, 'delivery not claimed');
    return afterRefusal(claimed);
  }
  const attempt = await makeAttempt(context, claimed);
  const next = whatFollows(claimed, attempt);
  const recorded = await recordDeliveryAttempt(database, {
    id,
    fencingToken: claimed.fencingToken,
    attempt: recordOf(attempt),
    next,
  });
  if (recorded === 'fenced') {
    metrics.delivery('dropped');
    log.warn('delivery dropped: another worker has it');
    return { outcome: 'done' };
  }
  const facts = { eventId: claimed.eventId, ...recordOf(attempt) };
  switch (next.state) {
    case 'delivered':
      metrics.delivery('delivered');
      log.info(facts, 'webhook delivered');
      return { outcome: 'done' };
    case 'failed':
      metrics.delivery('gave_up');
      log.warn(facts, 'webhook given up');
      return { outcome: 'done' };
    case 'pending':
      metrics.delivery('retried');
      log.info({ ...facts, retryInMs: next.retryInMs }, 'webhook will be tried again');
      return { outcome: 'retry', retryInMs: next.retryInMs, reason: 'not_delivered' };
  }
}

async function makeAttempt(context: DeliveryContext, claimed: ClaimedDelivery): Promise<Attempt> {
  const { endpointId, sealedSecret, eventId, eventType, eventCreatedAt, url } = claimed;
  if (!claimed.endpointEnabled) {
    return { delivered: false, error: 'endpoint_disabled', durationMs: 0 };
  }
  try {
    const secret = openSecret({ sealed: sealedSecret, endpointId, key: context.sealingKey });
    const body = eventBody({
      type: eventType,
      timestamp: eventCreatedAt,
      data: objectOf(claimed.eventData),
    });
    return await context.deliverer.deliver({ url, id: eventId, body, secrets: [secret] });
  } catch (error) {
    if (!(error instanceof WebhooksError)) throw error;
    return { delivered: false, error: error.code, durationMs: 0 };
  }
}

function objectOf(data: ClaimedDelivery['eventData']): Readonly<Record<string, JsonValue>> {
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data;
  throw new WebhooksError('event_invalid', 'the data of an event is an object');
}

/** Success, an endpoint taken out of use, and answers that will not change, end a delivery. */
function whatFollows(claimed: ClaimedDelivery, attempt: Attempt): DeliveryNext {
  if (attempt.delivered) return { state: 'delivered' };
  switch (attempt.error) {
    case 'endpoint_disabled':
    case 'gone':
    case 'url_invalid':
    case 'target_forbidden':
    case 'event_invalid':
      return { state: 'failed' };
    default: {
      const policy = retryDelay({ kind: 'deliver-webhook', attempt: claimed.attempts + 1 });
      if (policy === undefined) return { state: 'failed' };
      const asked = 'retryAfterMs' in attempt ? (attempt.retryAfterMs ?? 0) : 0;
      return { state: 'pending', retryInMs: Math.max(policy, asked) };
    }
  }
}

function recordOf(attempt: Attempt): {
  readonly status?: number;
  readonly errorCode?: string;
  readonly durationMillis: number;
} {
  const status = 'status' in attempt ? attempt.status : undefined;
  return {
    durationMillis: attempt.durationMs,
    ...(status === undefined ? {} : { status }),
    ...(attempt.delivered ? {} : { errorCode: attempt.error }),
  };
}
