import { lookup as systemLookup } from 'node:dns';
import { performance } from 'node:perf_hooks';
import { Agent, request, type Dispatcher } from 'undici';
import { deliveryError, type DeliveryErrorCode } from './delivery-error.ts';
import { WebhooksError } from './error.ts';
import { signWebhook } from './sign-webhook.ts';
import { guardedLookup, type Lookup } from './target-address.ts';
import { parseTargetUrl } from './target-url.ts';

/** One attempt to deliver one event to one endpoint. */
export interface Delivery {
  readonly url: string;
  /** The event's id, the same in every attempt. */
  readonly id: string;
  /** JSON, from `eventBody`. */
  readonly body: string;
  /** The endpoint's secrets, newest first. */
  readonly secrets: readonly [string, ...string[]];
  /** When this attempt is made, default now. */
  readonly timestamp?: Date;
}

/** How an attempt went. */
export type DeliveryAttempt = {
  /** Milliseconds from the start to the answer or the failure. */
  readonly durationMs: number;
} & (
  | { readonly delivered: true; readonly status: number; readonly responseText: string }
  | {
      readonly delivered: false;
      readonly error: DeliveryErrorCode;
      /** HTTP status, if there was an answer. */
      readonly status?: number;
      /** The first 1,024 bytes of the answer. */
      readonly responseText?: string;
      /** What the answer's Retry-After asks for, at most a day. */
      readonly retryAfterMs?: number;
    }
);

export interface Deliverer {
  /**
   * Signs and sends. Delivered means answered with a 2xx status within the timeout; everything
   * else is told by the result. Throws {@link WebhooksError} `secret_invalid` only.
   */
  deliver(delivery: Delivery): Promise<DeliveryAttempt>;
  /** Waits for the attempts in hand. */
  close(): Promise<void>;
}

export interface DelivererOptions {
  /** Permits http and addresses of private networks: for tests and closed networks. */
  readonly allowPrivateTargets: boolean;
  /** Bounds a whole attempt, default 15,000 milliseconds. */
  readonly timeoutMs?: number;
  /** PEM certificates that are trusted in place of the system's. */
  readonly certificateAuthorities?: readonly string[];
  /** Resolves names, default the system's resolver. */
  readonly lookup?: Lookup;
}

const keptBytes = 1_024;
/** An answer longer than this is not read to its end, which costs its connection. */
const readBytes = 16_384;
const dayMs = 86_400_000;

/** Enough for `user-agent` filters at receivers; never the version, which helps attackers only. */
const fixedHeaders = { 'content-type': 'application/json', 'user-agent': 'signfleet-webhooks' };

function openAgent(o: DelivererOptions): Agent {
  return new Agent({
    // A slow receiver holds this many connections and no more.
    connections: 8,
    pipelining: 1,
    maxHeaderSize: 16_384,
    connect: {
      lookup: guardedLookup(o.lookup ?? systemLookup, o),
      rejectUnauthorized: true,
      ...(o.certificateAuthorities === undefined ? {} : { ca: [...o.certificateAuthorities] }),
    },
  });
}

/** The first bytes of an answer. The status has decided already, so a failing body changes nothing. */
async function readSome(body: Dispatcher.ResponseData['body']): Promise<string> {
  const kept: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk as Uint8Array);
      if (length < keptBytes) kept.push(bytes.subarray(0, keptBytes - length));
      length += bytes.length;
      if (length > readBytes) break;
    }
  } catch {
    body.destroy();
  }
  // PostgreSQL's text type has no NUL.
  return Buffer.concat(kept).toString('utf8').replaceAll('\0', '\uFFFD');
}

function parseRetryAfter(value: string | string[] | undefined): number | undefined {
  if (typeof value !== 'string') return undefined;
  const delayMs = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(delayMs, 0), dayMs);
}

function statusError(status: number): DeliveryErrorCode | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status === 410) return 'gone';
  return status >= 300 && status < 400 ? 'redirected' : 'status';
}

async function answered(
  response: Dispatcher.ResponseData,
  elapsed: () => number,
): Promise<DeliveryAttempt> {
  const { statusCode: status, headers } = response;
  const responseText = await readSome(response.body);
  const durationMs = elapsed();
  const error = statusError(status);
  if (error === undefined) return { delivered: true, status, durationMs, responseText };
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { delivered: false, error, status, durationMs, responseText, ...asked };
}

/** Opens a deliverer: one pool of connections, shared by all deliveries of a process. */
export function openDeliverer(o: DelivererOptions): Deliverer {
  const agent = openAgent(o);
  return {
    deliver: async (delivery) => {
      const headers = signWebhook({ ...delivery, timestamp: delivery.timestamp ?? new Date() });
      const start = performance.now();
      const elapsed = (): number => Math.round(performance.now() - start);
      try {
        const response = await request(parseTargetUrl(delivery.url, o), {
          method: 'POST',
          headers: { ...fixedHeaders, ...headers },
          body: delivery.body,
          dispatcher: agent,
          signal: AbortSignal.timeout(o.timeoutMs ?? 15_000),
        });
        return await answered(response, elapsed);
      } catch (error) {
        const code =
          error instanceof WebhooksError && error.code === 'target_forbidden'
            ? 'target_forbidden'
            : error instanceof WebhooksError
              ? 'url_invalid'
              : deliveryError(error);
        return { delivered: false, error: code, durationMs: elapsed() };
      }
    },
    close: () => agent.close(),
  };
}
