import { createHash } from 'node:crypto';

import { algorithmFacts, type KeyAlgorithm, type Signer } from '@signfleet/pki';

import type { Cryptoki, Handle } from './cryptoki.ts';
import { HsmError } from './error.ts';
import { signingMechanisms } from './mechanism.ts';
import type { SessionPool } from './session-pool.ts';

export interface KeyInSession {
  readonly cryptoki: Cryptoki;
  readonly session: Handle;
  readonly key: Handle;
  readonly algorithm: KeyAlgorithm;
}

/** Hashes in software, signs in the HSM, returns the form of X.509 and CMS. */
export async function signInSession(o: KeyInSession, message: Uint8Array): Promise<Uint8Array> {
  const mechanism = signingMechanisms[o.algorithm];
  const digest = createHash(algorithmFacts[o.algorithm].digest).update(message).digest();
  const raw = await o.cryptoki.sign(o.session, {
    mechanism: mechanism.sign,
    key: o.key,
    data: mechanism.signInput(digest),
    maxBytes: mechanism.signOutputBytes,
  });
  return mechanism.encodeSignature(raw);
}

export interface LentSigner {
  readonly signer: Signer;
  /** Ends the loan: later signatures are refused, one that is being made is waited for. */
  end(): Promise<void>;
}

/**
 * A signer over a key in a leased session. Its signatures are made one after the other, because a
 * session can hold one operation at a time. After `end()` it throws HsmError `signer_expired`.
 */
export function lendSigner(o: KeyInSession & { readonly publicKey: Uint8Array }): LentSigner {
  let ended = false;
  let last: Promise<unknown> = Promise.resolve();
  const sign = (message: Uint8Array): Promise<Uint8Array> => {
    if (ended)
      return Promise.reject(new HsmError('signer_expired', 'the signer was lent to a callback'));
    const next = last.then(() => signInSession(o, message));
    last = Promise.allSettled([next]);
    return next;
  };
  return {
    signer: { algorithm: o.algorithm, publicKey: o.publicKey, sign },
    end: async () => {
      ended = true;
      await last;
    },
  };
}

/** A signer over a key that lives in the token; each signature borrows a session of the pool. */
export function residentSigner(o: {
  readonly cryptoki: Cryptoki;
  readonly pool: SessionPool;
  readonly algorithm: KeyAlgorithm;
  readonly publicKey: Uint8Array;
  readonly findKey: (lease: { readonly session: Handle; readonly login: number }) => Handle;
}): Signer {
  return {
    algorithm: o.algorithm,
    publicKey: o.publicKey,
    sign: (message) =>
      o.pool.withSession((lease) =>
        signInSession(
          {
            cryptoki: o.cryptoki,
            session: lease.session,
            key: o.findKey(lease),
            algorithm: o.algorithm,
          },
          message,
        ),
      ),
  };
}
