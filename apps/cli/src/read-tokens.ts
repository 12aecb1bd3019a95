import { readTokenStatus, type TokenStatus } from '@signfleet/hsm';
import { CliError } from './error.ts';
import { tokenAccess, withLocalVault, type TokenOptions } from './token-access.ts';

/**
 * Reads back the tokens that were named, or those of the local stack.
 *
 * @throws CliError `not_configured` when there is none; HsmError.
 */
export async function readTokens(given: TokenOptions): Promise<TokenStatus[]> {
  const options = await withLocalVault(given);
  const statuses: TokenStatus[] = [];
  for (const role of ['signing', 'provisioning'] as const) {
    const access = tokenAccess(options, role);
    if (access !== undefined) statuses.push(await readTokenStatus(access));
  }
  if (statuses.length > 0) return statuses;
  throw new CliError('not_configured', 'name a token: --signing-token or --provisioning-token');
}
