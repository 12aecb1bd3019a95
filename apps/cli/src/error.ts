import { CodedError } from '@signfleet/errors';

export type CliErrorCode =
  | 'usage'
  | 'not_configured'
  | 'api_unreachable'
  | 'api_refused'
  | 'verification_failed'
  | 'signing_failed'
  | 'local_stack_failed'
  | 'local_stack_in_use'
  | 'interrupted';

/** What went wrong for the person at the terminal; the message ends with the next step. */
export class CliError extends CodedError<CliErrorCode> {}

/** Documented exit codes; 1 is everything unforeseen. */
export const exitCodes: Readonly<Record<CliErrorCode, number>> = {
  usage: 2,
  not_configured: 2,
  api_unreachable: 3,
  api_refused: 4,
  verification_failed: 5,
  signing_failed: 6,
  local_stack_failed: 7,
  local_stack_in_use: 7,
  interrupted: 130,
};
