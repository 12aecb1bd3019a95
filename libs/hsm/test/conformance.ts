import { keyAlgorithms, verifyWithPublicKey, type KeyAlgorithm } from '@signfleet/pki';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import {
  bindKeyRecord,
  openProvisioningToken,
  openSigningToken,
  type ProvisioningToken,
  type SigningToken,
  type WrappedKeyRecord,
} from '../src/index.ts';
import { frameWrappedKey, unframeWrappedKey } from '../src/wrapped-key.ts';
import { attacker, type Attacker } from './attacker.ts';
import type { InitializedHsm } from './soft-hsm.ts';

const message = Buffer.from('a document');
const owner = { tenantId: 'ten_1', userId: 'usr_1', keyId: 'key_1' };

/**
 * What every HSM must do for signfleet. `initialize` gives two tokens after the ceremony; each test
 * fails if it leaves an object behind that was not there before.
 */
export function describeHsmConformance(
  name: string,
  initialize: () => Promise<InitializedHsm>,
): void {
  describe(`HSM conformance: ${name}`, () => {
    let initialized: InitializedHsm;
    let signing: SigningToken;
    let provisioning: ProvisioningToken;
    let observers: Attacker[];
    let objectsAtStart: number[];
    const records = new Map<KeyAlgorithm, WrappedKeyRecord>();

    const countObjects = (): number[] => observers.map((observer) => observer.objects().length);

    beforeAll(async () => {
      initialized = await initialize();
      const { enrolmentPublicKey } = initialized.report;
      signing = await openSigningToken({
        ...initialized.signing,
        sessions: 2,
        enrolmentPublicKey,
      });
      provisioning = await openProvisioningToken({ ...initialized.provisioning, sessions: 2 });
      observers = [attacker(initialized.signing), attacker(initialized.provisioning)];
      objectsAtStart = countObjects();
      for (const algorithm of keyAlgorithms) {
        const { record } = await provisioning.generateWrappedKey({ owner, algorithm }, () =>
          Promise.resolve(),
        );
        records.set(algorithm, record);
      }
    });

    afterEach(() => {
      expect(countObjects()).toEqual(objectsAtStart);
    });

    afterAll(async () => {
      for (const observer of observers) observer.close();
      await signing.close();
      await provisioning.close();
      await initialized.hsm.remove();
    });

    const sign = (record: WrappedKeyRecord): Promise<Uint8Array> =>
      signing.withUnwrappedKey(record, (signer) => signer.sign(message));

    it.each(keyAlgorithms)('signs with a wrapped %s key', async (algorithm) => {
      const record = records.get(algorithm)!;
      const { publicKey } = record;
      const signature = await sign(record);
      expect(verifyWithPublicKey({ algorithm, publicKey, message, signature })).toBe(true);
    });

    it.each(keyAlgorithms)('lends a signer over a new %s key', async (algorithm) => {
      const { record, held } = await provisioning.generateWrappedKey(
        { owner, algorithm },
        async (signer) => ({
          signature: await signer.sign(message),
          publicKey: signer.publicKey,
        }),
      );
      expect(held.publicKey).toEqual(record.publicKey);
      expect(verifyWithPublicKey({ algorithm, message, ...held })).toBe(true);
    });

    it.each(['enrolmentSigner', 'caSigner'] as const)('signs with the %s', async (which) => {
      const { algorithm, publicKey } = provisioning[which];
      const signature = await provisioning[which].sign(message);
      expect(verifyWithPublicKey({ algorithm, publicKey, message, signature })).toBe(true);
    });

    it('is healthy and locked', async () => {
      await signing.health();
      await provisioning.health();
      expect(signing.facts.securityLevel).toBe('locked');
      expect(signing.facts.keyEncryptionKeyIds).toEqual([initialized.report.keyEncryptionKeyId]);
    });

    it('keeps concurrent brackets apart', async () => {
      const all = [...records.values(), ...records.values(), ...records.values()];
      const verdicts = await Promise.all(
        all.map(async (record, index) => {
          const text = Buffer.from(`document ${index}`);
          const { algorithm, publicKey } = record;
          return signing.withUnwrappedKey(record, async (signer) => {
            const signatures = await Promise.all([signer.sign(text), signer.sign(text)]);
            return signatures.every((signature) =>
              verifyWithPublicKey({ algorithm, publicKey, message: text, signature }),
            );
          });
        }),
      );
      expect(verdicts).toEqual(all.map(() => true));
    });

    it('destroys the key and ends the loan when the callback throws', async () => {
      const failure = new Error('the callback failed');
      let kept: { sign(message: Uint8Array): Promise<Uint8Array> } | undefined;
      await expect(
        signing.withUnwrappedKey(records.get('P-256')!, (signer) => {
          kept = signer;
          return Promise.reject(failure);
        }),
      ).rejects.toBe(failure);
      await expect(kept?.sign(message)).rejects.toMatchObject({ code: 'signer_expired' });
    });

    it('refuses a record whose blob was swapped with that of another', async () => {
      const { wrappedKey } = records.get('P-384')!;
      await expect(sign({ ...records.get('P-256')!, wrappedKey })).rejects.toMatchObject({
        code: 'wrapped_key_mismatch',
      });
    });

    it('refuses a blob with a bit flipped', async () => {
      const wrappedKey = Uint8Array.from(records.get('P-256')!.wrappedKey);
      wrappedKey[40]! ^= 0x10;
      await expect(sign({ ...records.get('P-256')!, wrappedKey })).rejects.toMatchObject({
        code: 'wrapped_key_damaged',
      });
    });

    it('refuses a replaced public key', async () => {
      const { publicKey } = provisioning.enrolmentSigner;
      await expect(sign({ ...records.get('P-256')!, publicKey })).rejects.toMatchObject({
        code: 'public_key_mismatch',
      });
    });

    it.each(['tenantId', 'userId', 'keyId'] as const)('refuses another %s', async (field) => {
      await expect(sign({ ...records.get('P-256')!, [field]: 'x' })).rejects.toMatchObject({
        code: 'binding_mismatch',
        details: { field },
      });
    });

    it('refuses a binding by any other key than the enrolment key', async () => {
      const forged = await bindKeyRecord(records.get('P-256')!, provisioning.caSigner);
      await expect(sign(forged)).rejects.toMatchObject({ code: 'binding_invalid' });
      const empty = { ...records.get('P-256')!, bindingSignature: new Uint8Array() };
      await expect(sign(empty)).rejects.toMatchObject({ code: 'binding_invalid' });
    });

    it('refuses a record of another key encryption key', async () => {
      const rebound = await bindKeyRecord(
        { ...records.get('P-256')!, keyEncryptionKeyId: '00' },
        provisioning.enrolmentSigner,
      );
      await expect(sign(rebound)).rejects.toMatchObject({ code: 'key_encryption_key_mismatch' });
    });

    it('refuses a bound blob that the HSM cannot unwrap', async () => {
      const record = records.get('P-256')!;
      const blob = unframeWrappedKey(record.wrappedKey);
      blob[20]! ^= 1;
      const wrappedKey = frameWrappedKey(blob);
      const rebound = await bindKeyRecord({ ...record, wrappedKey }, provisioning.enrolmentSigner);
      await expect(sign(rebound)).rejects.toMatchObject({ code: 'unwrap_rejected' });
    });
  });
}
