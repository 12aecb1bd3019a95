import { ApiError } from './errors.ts';

/** The positions of the kinds of lists. */
const positions = {
  id: /^[a-z]{3}_[0-9A-Za-z_-]{8,60}$/,
  audit: /^\d{1,15}$/,
  event: /^\d{1,18}\.\d{1,18}$/,
} as const;

export type CursorKind = keyof typeof positions;

/** An opaque cursor for the position `after` of a list of that kind. */
export function encodeCursor(kind: CursorKind, after: string): string {
  return Buffer.from(`${kind}:${after}`, 'utf8').toString('base64url');
}

/**
 * The position inside `cursor`. It only says where to go on: every query is limited to the
 * caller's tenant whatever the cursor holds.
 *
 * @throws {ApiError} `invalid_request` for anything that encodeCursor does not produce.
 */
export function decodeCursor(kind: CursorKind, cursor: string): string {
  const decoded = Buffer.from(cursor, 'base64url').toString('utf8');
  const after = decoded.slice(kind.length + 1);
  if (!positions[kind].test(after) || encodeCursor(kind, after) !== cursor) {
    const detail = 'This cursor was not returned by this list';
    throw new ApiError('invalid_request', '1 invalid field: see errors', {
      errors: [{ pointer: '/cursor', in: 'query', code: 'invalid_value', detail }],
    });
  }
  return after;
}
