import { timingSafeEqual } from 'node:crypto';
import { WebhooksError } from './error.ts';
import { contentSignature } from './signature.ts';

/** Headers as Node's `IncomingMessage` has them, or a plain object; names in any case. */
export type ReceivedHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

const defaultToleranceSeconds = 300;

function header(headers: ReceivedHeaders, name: string): string {
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() === name && typeof value === 'string' && value !== '') return value;
  }
  throw new WebhooksError('header_missing', `the header ${name} is missing`, {
    details: { header: name },
  });
}

function parseTimestamp(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new WebhooksError('timestamp_invalid', 'webhook-timestamp is not in seconds since 1970');
}

function checkAge(timestamp: number, now: Date, toleranceSeconds: number): void {
  const ageSeconds = Math.floor(now.getTime() / 1_000) - timestamp;
  if (Math.abs(ageSeconds) <= toleranceSeconds) return;
  throw new WebhooksError(
    'timestamp_out_of_tolerance',
    ageSeconds > 0 ? 'the webhook is too old' : 'the webhook comes from the future',
    { details: { ageSeconds, toleranceSeconds } },
  );
}

function presentedSignatures(text: string): Buffer[] {
  return text
    .split(' ')
    .map((part) => /^v1,([A-Za-z0-9+/]+={0,2})$/.exec(part)?.[1])
    .filter((encoded) => encoded !== undefined)
    .map((encoded) => Buffer.from(encoded, 'base64'));
}

/**
 * Checks a received webhook: one of its signatures is by one of `secrets` and its timestamp is
 * within `toleranceSeconds` (default 300) of `now`. `body` are the bytes as received, before any
 * JSON parsing. Returns the id by which repetitions are known.
 *
 * Throws {@link WebhooksError} `header_missing`, `timestamp_invalid`, `timestamp_out_of_tolerance`,
 * `signature_invalid`, `secret_invalid`.
 */
export function verifyWebhook(o: {
  readonly headers: ReceivedHeaders;
  readonly body: string | Uint8Array;
  readonly secrets: readonly string[];
  readonly toleranceSeconds?: number;
  readonly now?: Date;
}): { readonly id: string; readonly timestamp: Date } {
  const id = header(o.headers, 'webhook-id');
  const timestamp = parseTimestamp(header(o.headers, 'webhook-timestamp'));
  const presented = presentedSignatures(header(o.headers, 'webhook-signature'));
  checkAge(timestamp, o.now ?? new Date(), o.toleranceSeconds ?? defaultToleranceSeconds);
  for (const secret of o.secrets) {
    const expected = contentSignature({ id, timestamp, body: o.body }, secret);
    for (const signature of presented) {
      if (signature.length === expected.length && timingSafeEqual(signature, expected)) {
        return { id, timestamp: new Date(timestamp * 1_000) };
      }
    }
  }
  throw new WebhooksError('signature_invalid', 'no signature is by a secret of this endpoint');
}
