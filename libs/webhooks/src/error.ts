import { CodedError } from '@signfleet/errors';

/**
 * - `secret_invalid`: a signing secret is not `whsec_` and the base64 of 24 to 64 bytes.
 * - `sealing_key_invalid`: the key file does not hold 32 bytes in base64 or hex.
 * - `sealed_secret_invalid`: a sealed secret was damaged, belongs to another endpoint, or was sealed
 *   under another key.
 * - `header_missing`, `timestamp_invalid`, `timestamp_out_of_tolerance`, `signature_invalid`: why
 *   a received webhook is not genuine, or no longer.
 * - `event_invalid`: an event that cannot be put into an envelope.
 * - `url_invalid`: an endpoint's URL cannot be delivered to.
 * - `target_forbidden`: an endpoint's URL names an address of a private network.
 */
export type WebhooksErrorCode =
  | 'secret_invalid'
  | 'sealing_key_invalid'
  | 'sealed_secret_invalid'
  | 'header_missing'
  | 'timestamp_invalid'
  | 'timestamp_out_of_tolerance'
  | 'signature_invalid'
  | 'event_invalid'
  | 'url_invalid'
  | 'target_forbidden';

/** The one error class of `@signfleet/webhooks`. */
export class WebhooksError extends CodedError<WebhooksErrorCode> {}
