import { verifyWithPublicKey } from '@signfleet/pki';
import pkcs11js from 'pkcs11js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  openProvisioningToken,
  openSigningToken,
  type ProvisioningToken,
  type SigningToken,
  type WrappedKeyRecord,
} from '../src/index.ts';
import { attacker } from './attacker.ts';
import { initializedHsm, type InitializedHsm } from './soft-hsm.ts';

const message = Buffer.from('a document');
const C = pkcs11js;

describe('a token whose sessions are disturbed', () => {
  let hsm: InitializedHsm;
  let signing: SigningToken;
  let provisioning: ProvisioningToken;
  let record: WrappedKeyRecord;

  beforeAll(async () => {
    hsm = await initializedHsm();
    const { enrolmentPublicKey } = hsm.report;
    signing = await openSigningToken({ ...hsm.signing, sessions: 2, enrolmentPublicKey });
    provisioning = await openProvisioningToken({ ...hsm.provisioning, sessions: 1 });
    ({ record } = await provisioning.generateWrappedKey(
      { owner: { tenantId: 't', userId: 'u', keyId: 'k' }, algorithm: 'P-256' },
      () => Promise.resolve(),
    ));
  });

  afterAll(async () => {
    await signing.close();
    await provisioning.close();
    await hsm.hsm.remove();
  });

  const closeAllSessions = (label: string): void => {
    const library = new C.PKCS11();
    library.load(hsm.hsm.modulePath);
    for (const slot of library.C_GetSlotList(true))
      if (library.C_GetTokenInfo(slot).label.trimEnd() === label) library.C_CloseAllSessions(slot);
  };
  const signs = async (): Promise<boolean> => {
    const signature = await signing.withUnwrappedKey(record, (signer) => signer.sign(message));
    const { algorithm, publicKey } = record;
    return verifyWithPublicKey({ algorithm, publicKey, message, signature });
  };
  const privateSessionKeys = (): number => {
    const observer = attacker(hsm.signing);
    try {
      observer.library.C_FindObjectsInit(observer.session, [
        { type: C.CKA_CLASS, value: C.CKO_PRIVATE_KEY },
      ]);
      const { length } = observer.library.C_FindObjects(observer.session, 100);
      observer.library.C_FindObjectsFinal(observer.session);
      return length;
    } finally {
      observer.close();
    }
  };

  it('shows the key to an observer only inside the bracket', async () => {
    const inside = await signing.withUnwrappedKey(record, () =>
      Promise.resolve(privateSessionKeys()),
    );
    expect(inside).toBe(1);
    expect(privateSessionKeys()).toBe(0);
  });

  it('fails a bracket whose session vanishes as retryable, and signs again after it', async () => {
    const failed = signing.withUnwrappedKey(record, (signer) => {
      closeAllSessions('signing');
      return signer.sign(message);
    });
    await expect(failed).rejects.toMatchObject({ retryable: true });
    expect(await signs()).toBe(true);
    expect(privateSessionKeys()).toBe(0);
  });

  it('recovers between brackets too', async () => {
    closeAllSessions('signing');
    await expect(signs()).rejects.toMatchObject({ retryable: true });
    expect(await signs()).toBe(true);
  });

  it('closes the session when the key cannot be destroyed, and keeps the result', async () => {
    const result = await signing.withUnwrappedKey(record, async (signer) => {
      const signature = await signer.sign(message);
      const vandal = attacker(hsm.signing);
      vandal.library.C_FindObjectsInit(vandal.session, [
        { type: C.CKA_CLASS, value: C.CKO_PRIVATE_KEY },
      ]);
      for (const key of vandal.library.C_FindObjects(vandal.session, 100))
        vandal.library.C_DestroyObject(vandal.session, key);
      vandal.library.C_FindObjectsFinal(vandal.session);
      vandal.close();
      return signature.length;
    });
    expect(result).toBeGreaterThan(60);
    expect(await signs()).toBe(true);
  });

  it('never takes a lost login for a missing key', async () => {
    closeAllSessions('provisioning');
    const attempts = [];
    for (let attempt = 0; attempt < 2; attempt += 1)
      attempts.push(
        await provisioning.enrolmentSigner.sign(message).then(
          () => 'signed',
          (error: unknown) => (error as { retryable: boolean }).retryable,
        ),
      );
    expect(attempts).toEqual([true, 'signed']);
  });

  it('may be closed twice, and refuses to work then', async () => {
    const { enrolmentPublicKey } = hsm.report;
    const other = await openSigningToken({ ...hsm.signing, sessions: 1, enrolmentPublicKey });
    await Promise.all([other.close(), other.close()]);
    await expect(other.health()).rejects.toMatchObject({ code: 'closed' });
    expect(await signs()).toBe(true);
  });
});
