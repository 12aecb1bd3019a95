import { CodedError } from '@signfleet/errors';

/** Why a local service could not be prepared, started or stopped. */
export type LocalStackErrorCode =
  | 'executable_missing'
  | 'platform_unsupported'
  | 'directory_unreachable'
  | 'directory_in_use'
  | 'port_in_use'
  | 'start_failed'
  | 'start_timeout'
  | 'command_failed'
  | 'token_exists';

/** The one error class of this library. */
export class LocalStackError extends CodedError<LocalStackErrorCode> {}
