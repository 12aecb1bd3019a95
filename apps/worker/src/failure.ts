import { PdfError } from '@signfleet/pdf';

/**
 * Why a signing or an enrolment failed for good, in plain words: the closed list of `errorCode`s
 * that callers see, each with the message stored beside it. Messages name no key, path or host.
 */
export const failureMessages = {
  not_a_pdf: 'The source is not a PDF document.',
  encrypted: 'The document is encrypted and cannot be signed as it is.',
  damaged: 'The document is damaged and cannot be signed without changing it.',
  too_complex: 'The document exceeds a limit on depth or size of its parts.',
  no_pages: 'The document has no page.',
  certification_forbids: 'The author has certified the document and allows no more signatures.',
  field_exists: 'The document has a field of that name already.',
  field_name_invalid: 'The name of the signature field is not acceptable.',
  source_not_found: 'There is no object at the source.',
  source_changed: 'The source is not the object that was pinned when the signing was submitted.',
  source_too_large: 'The source is larger than this installation accepts.',
  source_access_denied: 'This installation may not read the source.',
  destination_exists: 'Another object is at the destination already; it was left as it is.',
  destination_not_found: 'The destination bucket does not exist.',
  destination_access_denied: 'This installation may not write to the destination.',
  storage_refused: 'The object store refuses the name of the source or destination.',
  key_not_active: 'The key is not active.',
  certificate_missing: 'The key has no certificate yet.',
  certificate_not_valid: 'The certificate of the key is not valid at this time.',
  certificate_invalid: 'The certificate chain of the key cannot be used.',
  subject_invalid: 'The name of the user cannot be written into a certificate.',
  binding_invalid: 'The key record was changed after enrolment, so the key was not used.',
  binding_mismatch: 'The key record belongs to another owner, so the key was not used.',
  public_key_mismatch: 'The public key of the record is not that of the key or certificate.',
  wrapped_key_mismatch: 'The wrapped key of the record is not the one that was enrolled.',
  wrapped_key_damaged: 'The wrapped key of the record was damaged.',
  unwrap_rejected: 'The HSM refused the wrapped key.',
  key_encryption_key_mismatch: 'The key was wrapped for another HSM or key-encryption key.',
  algorithm_unsupported: 'The HSM or this version cannot use the algorithm of the key.',
  hsm_refused: 'The HSM refused the operation.',
  gave_up: 'A service that is needed was out of reach for too long.',
  internal_error: 'An unexpected error occurred; the operator finds it in the log under this id.',
} as const satisfies Record<string, string>;

export type FailureCode = keyof typeof failureMessages;

/** Where in a document the fault is, in the words of ISO 32000: byte offset, object number. */
const places = [
  ['offset', 'at byte'],
  ['objectNumber', 'in object'],
] as const;

/**
 * The message stored beside a code. A fault of the document names its place; nothing else of an
 * error goes to callers.
 */
export function failureMessage(code: FailureCode, error: unknown): string {
  const message = failureMessages[code];
  if (!(error instanceof PdfError)) return message;
  const named = places.flatMap(([name, words]) => {
    const value = error.details[name];
    return typeof value === 'number' ? [`${words} ${value}`] : [];
  });
  return named.length === 0 ? message : `${message.slice(0, -1)} (${named.join(', ')}).`;
}
