import type { KeyAlgorithm, Signer } from '@signfleet/pki';

import { CKA, CKO } from './constants.ts';
import type { Attribute, Cryptoki, Handle, Mechanism } from './cryptoki.ts';
import { HsmError } from './error.ts';
import { lendSigner } from './hsm-signer.ts';
import { signingMechanisms } from './mechanism.ts';
import { nativeTemplate, type NativeTemplate, type NativeUnwrap } from './native-unwrap.ts';
import type { Lease } from './session-pool.ts';
import type { VendorProfile } from './vendor-profile.ts';

/**
 * What every key that comes out of a blob must be, whoever unwraps it. The KEK carries exactly this
 * as its CKA_UNWRAP_TEMPLATE, so that the HSM refuses any looser wish (PKCS#11 section 4.10.1).
 */
export const lockedAttributes: readonly Attribute[] = [
  { type: CKA.class, value: CKO.privateKey },
  { type: CKA.token, value: false },
  { type: CKA.private, value: true },
  { type: CKA.sensitive, value: true },
  { type: CKA.extractable, value: false },
  { type: CKA.modifiable, value: false },
  { type: CKA.copyable, value: false },
  { type: CKA.sign, value: true },
  { type: CKA.signRecover, value: false },
  { type: CKA.decrypt, value: false },
  { type: CKA.unwrap, value: false },
  { type: CKA.derive, value: false },
];

/** How blobs are unwrapped in one token. */
export interface Unwrapping {
  readonly cryptoki: Cryptoki;
  readonly unwrap: NativeUnwrap;
  readonly mechanism: Mechanism;
  readonly profile: VendorProfile;
}

const templates = new Map<number, NativeTemplate>();

function lockedTemplate(algorithm: KeyAlgorithm): NativeTemplate {
  const { keyType } = signingMechanisms[algorithm];
  const known = templates.get(keyType);
  if (known !== undefined) return known;
  const made = nativeTemplate([...lockedAttributes, { type: CKA.keyType, value: keyType }]);
  templates.set(keyType, made);
  return made;
}

function asRejection(profile: VendorProfile, error: unknown): unknown {
  const rejected =
    error instanceof HsmError &&
    typeof error.details['returnValue'] === 'string' &&
    profile.unwrapRejections.includes(error.details['returnValue']);
  return rejected
    ? new HsmError('unwrap_rejected', 'the HSM does not accept the wrapped key', {
        cause: error,
        details: error.details,
      })
    : error;
}

/**
 * Unwraps `blob` as a session object that can only sign, lends a signer over it to `use`, and
 * destroys it whatever happens. If it cannot be destroyed, its session is closed, which destroys it.
 *
 * @throws HsmError `unwrap_rejected` if this KEK did not make the blob.
 */
export async function withUnwrappedBlob<Result>(
  unwrapping: Unwrapping,
  lease: Lease,
  o: {
    readonly keyEncryptionKey: Handle;
    readonly blob: Buffer;
    readonly algorithm: KeyAlgorithm;
    readonly publicKey: Uint8Array;
  },
  use: (signer: Signer) => Promise<Result>,
): Promise<Result> {
  const { cryptoki, profile } = unwrapping;
  const { session } = lease;
  const key = await unwrapping
    .unwrap(session, {
      mechanism: unwrapping.mechanism,
      unwrappingKey: o.keyEncryptionKey,
      wrappedKey: o.blob,
      template: lockedTemplate(o.algorithm),
    })
    .catch((error: unknown) => {
      throw asRejection(profile, error);
    });
  const lent = lendSigner({
    cryptoki,
    session,
    key,
    algorithm: o.algorithm,
    publicKey: o.publicKey,
  });
  try {
    return await use(lent.signer);
  } finally {
    await lent.end();
    destroyOrDiscard(cryptoki, lease, key);
  }
}

/** Destroys a session object, or has its session closed if that fails. */
export function destroyOrDiscard(cryptoki: Cryptoki, lease: Lease, object: Handle): void {
  try {
    cryptoki.destroyObject(lease.session, object);
  } catch (error) {
    if (!(error instanceof HsmError)) throw error;
    lease.discard();
  }
}
