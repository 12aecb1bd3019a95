import type { SigningToken, WrappedKeyRecord } from '@signfleet/hsm';
import type { Lease } from './lease.ts';
import type { StageClock } from './stage-clock.ts';

/**
 * One signature over `message` with the record's key, which is in the HSM no longer than that takes.
 * Nothing else happens inside the bracket: it opens after all that can fail without the HSM is done
 * and closes before any other network traffic.
 */
export async function signWithUnwrappedKey(
  token: SigningToken,
  work: {
    readonly record: WrappedKeyRecord;
    readonly message: Uint8Array;
    readonly clock: StageClock;
    /** Asked once more when a session is free: waiting for one can outlast a lease. */
    readonly lease: Pick<Lease, 'assertHeld'>;
  },
): Promise<Uint8Array> {
  const asked = performance.now();
  let granted = asked;
  try {
    return await token.withUnwrappedKey(work.record, (signer) => signer.sign(work.message), {
      onSession: () => {
        granted = performance.now();
        work.clock.add('hsmWait', granted - asked);
        work.lease.assertHeld();
      },
    });
  } finally {
    work.clock.add('hsm', performance.now() - granted);
  }
}
