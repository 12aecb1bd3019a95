import type { ClaimedSigning } from '@signfleet/db';
import type { WrappedKeyRecord } from '@signfleet/hsm';
import { parseCertificate, parseKeyAlgorithm } from '@signfleet/pki';
import { WorkerError } from './error.ts';

/** A key with which this signing may be made now. */
export interface UsableKey {
  readonly record: WrappedKeyRecord;
  readonly certificateId: string;
  /** DER, leaf first. */
  readonly certificateChain: readonly [Uint8Array, ...Uint8Array[]];
}

/**
 * Checks what can be checked of a claimed key without the HSM: it is active, its certificate is of
 * its public key, and valid at `at`. Whether the record is the one that was enrolled, the HSM lib
 * verifies before it unwraps.
 *
 * @throws WorkerError `key_not_active`, `certificate_missing`, `certificate_not_valid`,
 *   `certificate_mismatch`; PkiError for what can't be parsed.
 */
export function usableKey(claimed: Pick<ClaimedSigning, 'key' | 'keyState'>, at: Date): UsableKey {
  if (claimed.keyState !== 'active') {
    throw new WorkerError('key_not_active', 'the key is not active', {
      details: { state: claimed.keyState },
    });
  }
  const [leaf, ...issuers] = claimed.key?.certificateChain ?? [];
  if (claimed.key === undefined || leaf === undefined) {
    throw new WorkerError('certificate_missing', 'the key has no certificate');
  }
  const { record, certificateId } = claimed.key;
  const certificate = parseCertificate(leaf);
  if (at < certificate.notBefore || at > certificate.notAfter) {
    throw new WorkerError('certificate_not_valid', 'the certificate is not valid now');
  }
  if (Buffer.compare(certificate.publicKey, record.publicKey) !== 0) {
    throw new WorkerError('certificate_mismatch', "the certificate is not of the record's key");
  }
  return {
    record: { ...record, algorithm: parseKeyAlgorithm(record.algorithm) },
    certificateId,
    certificateChain: [leaf, ...issuers],
  };
}
