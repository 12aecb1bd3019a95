import { CodedError } from '@signfleet/errors';

/**
 * What is known about each code, so that nobody branches on names: whether the same call may
 * succeed later, and what the failure spoils, the call alone, its session, or the login to the token.
 */
const facts = {
  session_lost: { retryable: true, spoils: 'session' },
  login_lost: { retryable: true, spoils: 'token' },
  token_not_present: { retryable: true, spoils: 'token' },
  device_error: { retryable: true, spoils: 'session' },
  out_of_resources: { retryable: true, spoils: 'call' },
  closed: { retryable: true, spoils: 'call' },
  module_unavailable: { retryable: false, spoils: 'call' },
  token_uri_invalid: { retryable: false, spoils: 'call' },
  pin_unreadable: { retryable: false, spoils: 'call' },
  pin_rejected: { retryable: false, spoils: 'token' },
  mechanism_unsupported: { retryable: false, spoils: 'call' },
  action_prohibited: { retryable: false, spoils: 'call' },
  template_rejected: { retryable: false, spoils: 'call' },
  request_rejected: { retryable: false, spoils: 'call' },
  unwrap_rejected: { retryable: false, spoils: 'call' },
  binding_invalid: { retryable: false, spoils: 'call' },
  binding_mismatch: { retryable: false, spoils: 'call' },
  public_key_mismatch: { retryable: false, spoils: 'call' },
  wrapped_key_mismatch: { retryable: false, spoils: 'call' },
  wrapped_key_damaged: { retryable: false, spoils: 'call' },
  key_missing: { retryable: false, spoils: 'call' },
  key_encryption_key_missing: { retryable: false, spoils: 'call' },
  key_encryption_key_mismatch: { retryable: false, spoils: 'call' },
  signer_expired: { retryable: false, spoils: 'call' },
  already_initialized: { retryable: false, spoils: 'call' },
} as const satisfies Record<
  string,
  { readonly retryable: boolean; readonly spoils: 'call' | 'session' | 'token' }
>;

export type HsmErrorCode = keyof typeof facts;

/**
 * The one error of this library. `details.returnValue` and `details.call` name the PKCS#11 return
 * value and function where the HSM itself refused.
 */
export class HsmError extends CodedError<HsmErrorCode> {
  /** Whether the same call may succeed later without anybody changing anything. */
  get retryable(): boolean {
    return facts[this.code].retryable;
  }

  /** What must be thrown away before going on. */
  get spoils(): 'call' | 'session' | 'token' {
    return facts[this.code].spoils;
  }
}
