import type { KeyPairCopy, SecretKeyCopy } from './birth.ts';

/** The transport-wrapped copies made at birth. Worth nothing without the recovery key. */
export function backupFile(o: {
  readonly createdAt: Date;
  readonly wrapMechanism: number;
  readonly recoveryKeyCheckValue: string;
  readonly keyEncryptionKeys: readonly SecretKeyCopy[];
  readonly signingKeys: readonly KeyPairCopy[];
}): unknown {
  return {
    format: 'signfleet key backup v1',
    createdAt: o.createdAt.toISOString(),
    recoveryKeyCheckValue: o.recoveryKeyCheckValue,
    wrapMechanism: `0x${o.wrapMechanism.toString(16)}`,
    keyEncryptionKeys: o.keyEncryptionKeys.map((copy) => ({
      label: copy.label,
      id: copy.id.toString('hex'),
      algorithm: 'AES-256',
      keyCheckValue: copy.checkValue,
      wrappedKey: copy.wrapped.toString('base64'),
    })),
    signingKeys: o.signingKeys.map((copy) => ({
      label: copy.label,
      id: copy.id.toString('hex'),
      algorithm: copy.algorithm,
      publicKey: Buffer.from(copy.publicKey).toString('base64'),
      wrappedKey: copy.wrapped.toString('base64'),
    })),
  };
}
