import { ApiError } from './errors.ts';

const position = /^[a-z]{3}_[0-9A-Za-z_-]{8,60}$|^\d{1,19}$/;

/** An opaque cursor for the position `after` (an id or an audit position). */
export function encodeCursor(after: string): string {
  return Buffer.from(`1:${after}`, 'utf8').toString('base64url');
}

/**
 * The position inside `cursor`. It only says where to go on: every query is limited to the
 * caller's tenant whatever the cursor holds.
 *
 * @throws {ApiError} `invalid_request` for anything that encodeCursor does not produce.
 */
export function decodeCursor(cursor: string): string {
  const decoded = Buffer.from(cursor, 'base64url').toString('utf8');
  const after = decoded.slice(2);
  if (!decoded.startsWith('1:') || !position.test(after) || encodeCursor(after) !== cursor) {
    throw new ApiError('invalid_request', '1 invalid field: see errors', {
      errors: [
        {
          pointer: '/cursor',
          in: 'query',
          code: 'invalid_value',
          detail: 'This cursor was not returned by this list',
        },
      ],
    });
  }
  return after;
}
