import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenAccess } from '@signfleet/hsm';
import { z } from 'zod';
import { localStackFolder } from './connection.ts';
import { CliError } from './error.ts';

/** Command-line options that name the two tokens; each may come from the environment instead. */
export interface TokenOptions {
  readonly module?: string;
  readonly signingToken?: string;
  readonly signingPinFile?: string;
  readonly provisioningToken?: string;
  readonly provisioningPinFile?: string;
}

export const localVaultFile = (folder: string): string => join(folder, 'hsm', 'environment.json');

const environmentSchema = z.record(z.string(), z.string());

/**
 * Completes the options from the local stack's HSM when no token was named at all, and points
 * SoftHSM2 to its folder.
 */
export async function withLocalVault(options: TokenOptions): Promise<TokenOptions> {
  if (options.signingToken !== undefined || options.provisioningToken !== undefined) return options;
  let text: string;
  try {
    text = await readFile(localVaultFile(localStackFolder), 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return options;
    throw cause;
  }
  const env = environmentSchema.parse(JSON.parse(text));
  if (env['SOFTHSM2_CONF'] !== undefined) process.env['SOFTHSM2_CONF'] = env['SOFTHSM2_CONF'];
  const named = {
    module: env['HSM_MODULE'],
    signingToken: env['HSM_SIGNING_TOKEN_URI'],
    signingPinFile: env['HSM_SIGNING_PIN_FILE'],
    provisioningToken: env['HSM_PROVISIONING_TOKEN_URI'],
    provisioningPinFile: env['HSM_PROVISIONING_PIN_FILE'],
  };
  const present = Object.entries(named).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present);
}

/** The token of a role, or `undefined` when it was not named. */
export function tokenAccess(
  options: TokenOptions,
  role: 'signing' | 'provisioning',
): TokenAccess | undefined {
  const [tokenUri, pinFile] =
    role === 'signing'
      ? [options.signingToken, options.signingPinFile]
      : [options.provisioningToken, options.provisioningPinFile];
  if (tokenUri === undefined) return undefined;
  return {
    tokenUri,
    ...(pinFile === undefined ? {} : { pinFile }),
    ...(options.module === undefined ? {} : { modulePath: options.module }),
  };
}

/** @throws CliError `not_configured` naming the option and the variable. */
export function requiredTokenAccess(
  options: TokenOptions,
  role: 'signing' | 'provisioning',
): TokenAccess {
  const found = tokenAccess(options, role);
  if (found !== undefined) return found;
  throw new CliError(
    'not_configured',
    `name the ${role} token: --${role}-token or HSM_${role.toUpperCase()}_TOKEN_URI`,
  );
}
