import type { Caller } from '@signfleet/db';
import { hasScope } from './authentication.ts';

/** Limits a read to what the caller submitted or may sign with, unless it is an administrator. */
export function visibilityOf(caller: Caller): { visibleTo?: string } {
  return hasScope(caller, 'admin') ? {} : { visibleTo: caller.apiKeyId };
}
