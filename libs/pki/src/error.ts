import { CodedError } from '@signfleet/errors';

/** Every reason for which this library refuses. */
export type PkiErrorCode =
  | 'algorithm_unsupported'
  | 'public_key_malformed'
  | 'signature_malformed'
  | 'digest_length_invalid'
  | 'malformed_der'
  | 'malformed_pem'
  | 'malformed_certificate'
  | 'malformed_signed_data'
  | 'distinguished_name_invalid'
  | 'serial_number_invalid'
  | 'validity_invalid'
  | 'profile_invalid'
  | 'certificate_key_mismatch'
  | 'certificate_expired'
  | 'certificate_not_yet_valid'
  | 'certificate_usage'
  | 'certificate_extension_unsupported'
  | 'ca_flag_missing'
  | 'ca_usage'
  | 'path_length_exceeded'
  | 'chain_empty'
  | 'chain_too_long'
  | 'chain_incomplete'
  | 'chain_signature_invalid'
  | 'root_untrusted'
  | 'signer_faulty';

/**
 * The one error of this library. For a certificate in a chain, `details.certificateIndex` says
 * which one (0 is the leaf).
 */
export class PkiError extends CodedError<PkiErrorCode> {}
