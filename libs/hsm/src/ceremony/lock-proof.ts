import { randomBytes } from 'node:crypto';

import { verifyWithPublicKey } from '@signfleet/pki';

import type { Handle } from '../cryptoki.ts';
import { HsmError } from '../error.ts';
import { withGeneratedPair } from '../generate-wrapped-key.ts';
import { probeLock, type SecurityLevel } from '../lock-probe.ts';
import { readPublicKey } from '../public-key.ts';
import { withUnwrappedBlob } from '../unwrapped-key.ts';
import type { Birthplace } from './birth.ts';

const algorithm = 'P-256';

/**
 * Proves what the ceremony is for, with a throwaway key: wrapped by the provisioning token's KEK,
 * it signs when unwrapped under lock in the signing token, and every looser unwrap is refused.
 *
 * @throws HsmError `device_error` if the two KEKs do not work together.
 */
export async function proveLock(o: {
  readonly provisioning: Birthplace;
  readonly wrappingKey: Handle;
  readonly signing: Birthplace;
  readonly unwrappingKey: Handle;
}): Promise<SecurityLevel> {
  const { token, lease } = o.provisioning;
  const made = await withGeneratedPair(token, lease, algorithm, async (pair) => ({
    publicKey: readPublicKey(token.cryptoki, lease.session, { key: pair.publicKey, algorithm }),
    blob: await token.cryptoki.wrapKey(lease.session, {
      mechanism: token.wrapMechanism,
      wrappingKey: o.wrappingKey,
      key: pair.privateKey,
    }),
  }));
  const { cryptoki, unwrap, profile, wrapMechanism: mechanism } = o.signing.token;
  const unwrapping = { cryptoki, unwrap, profile, mechanism };
  const key = { keyEncryptionKey: o.unwrappingKey, algorithm, ...made } as const;
  const message = randomBytes(32);
  const signature = await withUnwrappedBlob(unwrapping, o.signing.lease, key, (signer) =>
    signer.sign(message),
  );
  if (!verifyWithPublicKey({ algorithm, publicKey: made.publicKey, message, signature }))
    throw new HsmError('device_error', 'a key wrapped by one token signs wrongly in the other');
  return probeLock(unwrapping, o.signing.lease.session, {
    keyEncryptionKey: o.unwrappingKey,
    blob: made.blob,
  });
}
