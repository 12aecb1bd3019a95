import { DbError, type DbErrorCode } from '@signfleet/db';
import { HsmError, type HsmErrorCode } from '@signfleet/hsm';
import { JobsError, type JobsErrorCode } from '@signfleet/jobs';
import { PdfError, type PdfErrorCode } from '@signfleet/pdf';
import { PkiError, type PkiErrorCode } from '@signfleet/pki';
import { StorageError, type StorageErrorCode } from '@signfleet/storage';
import { WebhooksError, type WebhooksErrorCode } from '@signfleet/webhooks';
import { WorkerError, type WorkerErrorCode } from './error.ts';
import type { FailureCode } from './failure.ts';

/** Every error that a job can end with, told apart by library. */
export type QualifiedCode =
  | `db:${DbErrorCode}`
  | `hsm:${HsmErrorCode}`
  | `jobs:${JobsErrorCode}`
  | `pdf:${PdfErrorCode}`
  | `pki:${PkiErrorCode}`
  | `storage:${StorageErrorCode}`
  | `webhooks:${WebhooksErrorCode}`
  | `worker:${WorkerErrorCode}`
  | 'unknown';

/** What an error means for the job that it ended. */
export type Verdict =
  /** It passes by itself, or an operator cures it: the job waits for as long as the limits allow. */
  | { readonly kind: 'wait'; readonly reason: QualifiedCode }
  /** Nobody foresaw it: a few more attempts, then `internal_error`. */
  | { readonly kind: 'puzzle'; readonly reason: QualifiedCode }
  /** No later attempt can go better. */
  | { readonly kind: 'fail'; readonly code: FailureCode; readonly reason: QualifiedCode }
  /** Another worker has the row: this one leaves without touching it. */
  | { readonly kind: 'drop'; readonly reason: QualifiedCode };

/** Which library an error is of, and its code. */
export function qualify(error: unknown): QualifiedCode {
  if (error instanceof DbError) return `db:${error.code}`;
  if (error instanceof HsmError) return `hsm:${error.code}`;
  if (error instanceof JobsError) return `jobs:${error.code}`;
  if (error instanceof PdfError) return `pdf:${error.code}`;
  if (error instanceof PkiError) return `pki:${error.code}`;
  if (error instanceof StorageError) return `storage:${error.code}`;
  if (error instanceof WebhooksError) return `webhooks:${error.code}`;
  if (error instanceof WorkerError) return `worker:${error.code}`;
  return 'unknown';
}

/** A qualified code as queues and rows keep it: letters and underscores, `hsm_session_lost`. */
export function queueReason(code: QualifiedCode): string {
  return code.replace(':', '_');
}

/**
 * The one place that decides what becomes of a job whose work threw. A code that is new in any
 * library fails the type check here until somebody has decided.
 */
export function verdictOf(error: unknown): Verdict {
  const reason = qualify(error);
  const decision = decide(reason);
  switch (decision) {
    case 'wait':
    case 'puzzle':
    case 'drop':
      return { kind: decision, reason };
    default:
      return { kind: 'fail', code: decision, reason };
  }
}

// eslint-disable-next-line max-lines-per-function -- exhaustive on purpose, in one piece
function decide(code: QualifiedCode): FailureCode | 'wait' | 'puzzle' | 'drop' {
  switch (code) {
    case 'worker:fenced':
      return 'drop';

    case 'db:unavailable':
    case 'storage:unavailable':
    case 'jobs:unavailable':
    case 'hsm:session_lost':
    case 'hsm:login_lost':
    case 'hsm:token_not_present':
    case 'hsm:device_error':
    case 'hsm:out_of_resources':
    case 'hsm:closed':
    case 'jobs:closed':
    case 'worker:stopping':
    case 'worker:timed_out':
      return 'wait';

    // The installation is wrong, not the document: it waits until the operator has put it right.
    case 'hsm:module_unavailable':
    case 'hsm:token_uri_invalid':
    case 'hsm:pin_unreadable':
    case 'hsm:pin_rejected':
    case 'hsm:key_missing':
    case 'hsm:key_encryption_key_missing':
    case 'hsm:action_prohibited':
    case 'webhooks:secret_invalid':
    case 'webhooks:sealing_key_invalid':
    case 'webhooks:sealed_secret_invalid':
    case 'worker:config_invalid':
      return 'wait';

    case 'pdf:not_a_pdf':
      return 'not_a_pdf';
    case 'pdf:encrypted':
      return 'encrypted';
    case 'pdf:damaged':
      return 'damaged';
    case 'pdf:too_complex':
      return 'too_complex';
    case 'pdf:no_pages':
      return 'no_pages';
    case 'pdf:certification_forbids':
      return 'certification_forbids';
    case 'pdf:field_exists':
      return 'field_exists';
    case 'pdf:field_name_invalid':
      return 'field_name_invalid';

    case 'hsm:binding_invalid':
      return 'binding_invalid';
    case 'hsm:binding_mismatch':
      return 'binding_mismatch';
    case 'hsm:public_key_mismatch':
    case 'pki:certificate_key_mismatch':
    case 'worker:certificate_mismatch':
      return 'public_key_mismatch';
    case 'hsm:wrapped_key_mismatch':
      return 'wrapped_key_mismatch';
    case 'hsm:wrapped_key_damaged':
      return 'wrapped_key_damaged';
    case 'hsm:unwrap_rejected':
      return 'unwrap_rejected';
    case 'hsm:key_encryption_key_mismatch':
      return 'key_encryption_key_mismatch';
    case 'hsm:mechanism_unsupported':
    case 'pki:algorithm_unsupported':
      return 'algorithm_unsupported';
    case 'hsm:template_rejected':
    case 'hsm:request_rejected':
      return 'hsm_refused';

    case 'pki:certificate_expired':
    case 'pki:certificate_not_yet_valid':
    case 'worker:certificate_not_valid':
      return 'certificate_not_valid';
    case 'pki:malformed_der':
    case 'pki:malformed_pem':
    case 'pki:malformed_certificate':
    case 'pki:public_key_malformed':
    case 'pki:certificate_usage':
    case 'pki:certificate_extension_unsupported':
    case 'pki:ca_flag_missing':
    case 'pki:ca_usage':
    case 'pki:path_length_exceeded':
    case 'pki:chain_empty':
    case 'pki:chain_too_long':
    case 'pki:chain_incomplete':
    case 'pki:chain_signature_invalid':
    case 'pki:root_untrusted':
      return 'certificate_invalid';
    case 'pki:distinguished_name_invalid':
      return 'subject_invalid';

    case 'worker:source_not_found':
      return 'source_not_found';
    case 'worker:source_changed':
      return 'source_changed';
    case 'worker:source_too_large':
      return 'source_too_large';
    case 'worker:source_access_denied':
      return 'source_access_denied';
    case 'worker:destination_exists':
      return 'destination_exists';
    case 'worker:destination_not_found':
      return 'destination_not_found';
    case 'worker:destination_access_denied':
      return 'destination_access_denied';
    case 'storage:request_rejected':
      return 'storage_refused';
    case 'worker:key_not_active':
      return 'key_not_active';
    case 'worker:certificate_missing':
      return 'certificate_missing';
    case 'worker:attempts_exhausted':
      return 'internal_error';

    // Our own output was wrong. Another attempt makes a new signature; a few may help, no more.
    case 'worker:self_check_failed':
    case 'pdf:contents_overflow':
    case 'pdf:contents_size_invalid':
    case 'pki:malformed_signed_data':
    case 'pki:signature_malformed':
    case 'pki:digest_length_invalid':
    case 'pki:signer_faulty':
      return 'puzzle';

    // Not among what these calls should answer, or a fault of this program.
    case 'db:conflict':
    case 'db:not_found':
    case 'db:invalid_state':
    case 'db:idempotency_mismatch':
    case 'db:constraint':
    case 'db:invalid_input':
    case 'db:migration_failed':
    case 'db:unexpected':
    case 'hsm:signer_expired':
    case 'hsm:already_initialized':
    case 'jobs:url_invalid':
    case 'jobs:id_invalid':
    case 'jobs:payload_invalid':
    case 'jobs:rejected':
    case 'jobs:process_failed':
    case 'jobs:lock_lost':
    case 'pki:serial_number_invalid':
    case 'pki:validity_invalid':
    case 'pki:profile_invalid':
    case 'storage:not_found':
    case 'storage:precondition_failed':
    case 'storage:access_denied':
    case 'storage:too_large':
    case 'storage:bucket_missing':
    case 'webhooks:header_missing':
    case 'webhooks:timestamp_invalid':
    case 'webhooks:timestamp_out_of_tolerance':
    case 'webhooks:signature_invalid':
    case 'webhooks:event_invalid':
    case 'webhooks:url_invalid':
    case 'webhooks:target_forbidden':
    case 'unknown':
      return 'puzzle';
  }
}
