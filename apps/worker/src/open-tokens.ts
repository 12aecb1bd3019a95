import { createPublicKey } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  HsmError,
  openProvisioningToken,
  openSigningToken,
  type ProvisioningToken,
  type SigningToken,
} from '@signfleet/hsm';
import { readConfiguredFile, type WorkerConfig } from './config.ts';
import { WorkerError } from './error.ts';

const PIN_FILE_POLL_MS = 2_000;

/** Opens the token that signs. @throws HsmError, and WorkerError `config_invalid`. */
export function openConfiguredSigningToken(config: WorkerConfig): Promise<SigningToken> {
  const {
    HSM_SIGNING_TOKEN_URI: tokenUri,
    HSM_SIGNING_PIN_FILE: pinFile,
    ENROLMENT_PUBLIC_KEY_FILE: keyFile,
  } = config;
  if (tokenUri === undefined || pinFile === undefined || keyFile === undefined) {
    throw new WorkerError('config_invalid', 'the role "sign" is not configured');
  }
  const enrolmentPublicKey = readPublicKey('ENROLMENT_PUBLIC_KEY_FILE', keyFile);
  return openSigningToken({
    tokenUri,
    pinFile,
    sessions: config.HSM_SESSIONS,
    enrolmentPublicKey,
    ...(config.HSM_MODULE === undefined ? {} : { modulePath: config.HSM_MODULE }),
  });
}

/** Opens the token that makes keys. @throws HsmError, and WorkerError `config_invalid`. */
export function openConfiguredProvisioningToken(config: WorkerConfig): Promise<ProvisioningToken> {
  const { HSM_PROVISIONING_TOKEN_URI: tokenUri, HSM_PROVISIONING_PIN_FILE: pinFile } = config;
  if (tokenUri === undefined || pinFile === undefined) {
    throw new WorkerError('config_invalid', 'the role "enrol" is not configured');
  }
  return openProvisioningToken({
    tokenUri,
    pinFile,
    sessions: Math.min(config.HSM_SESSIONS, ENROLMENT_SESSIONS),
    ...(config.HSM_MODULE === undefined ? {} : { modulePath: config.HSM_MODULE }),
  });
}

/** Enrolments at a time: key generation saturates an HSM and is never urgent. */
export const ENROLMENT_SESSIONS = 2;

/**
 * A token locks itself after a few wrong PINs, so after one the PIN is not tried again until its
 * file has changed.
 */
export async function waitForOtherPin(
  error: unknown,
  pinFile: string,
  signal: AbortSignal,
): Promise<void> {
  if (!(error instanceof HsmError) || error.code !== 'pin_rejected') return;
  const rejected = await modifiedAt(pinFile);
  while ((await modifiedAt(pinFile)) === rejected) {
    await sleep(PIN_FILE_POLL_MS, undefined, { signal });
  }
}

async function modifiedAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return undefined; // gone for now: a change like any other
  }
}

/** PEM SubjectPublicKeyInfo as DER. */
function readPublicKey(name: 'ENROLMENT_PUBLIC_KEY_FILE', path: string): Uint8Array {
  try {
    return createPublicKey(readConfiguredFile(name, path)).export({ type: 'spki', format: 'der' });
  } catch (cause) {
    if (cause instanceof WorkerError) throw cause;
    throw new WorkerError('config_invalid', `configuration: ${name}: not a PEM public key`, {
      cause,
    });
  }
}
