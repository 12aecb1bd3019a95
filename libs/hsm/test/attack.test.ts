import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import pkcs11js from 'pkcs11js';

import {
  openProvisioningToken,
  openSigningToken,
  readTokenStatus,
  type ProvisioningToken,
  type SigningToken,
} from '../src/index.ts';
import { looseTemplates } from '../src/lock-probe.ts';
import { lockedAttributes } from '../src/unwrapped-key.ts';
import { unframeWrappedKey } from '../src/wrapped-key.ts';
import { attacker, type Attacker } from './attacker.ts';
import { initializedHsm, type InitializedHsm } from './soft-hsm.ts';

const C = pkcs11js;
const wrapPad = { mechanism: C.CKM_AES_KEY_WRAP_PAD };
const ecKey = { type: C.CKA_KEY_TYPE, value: C.CKK_EC };
const locked = [
  ...lockedAttributes.filter(({ type }) => type !== C.CKA_MODIFIABLE),
  ecKey,
  { type: C.CKA_MODIFIABLE, value: false },
];

function returnValueOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return String(error);
  }
  return 'CKR_OK';
}

/** An AES key of the thief's own, in the clear to the thief. */
function ownKey(thief: Attacker): Buffer {
  return thief.library.C_CreateObject(thief.session, [
    { type: C.CKA_CLASS, value: C.CKO_SECRET_KEY },
    { type: C.CKA_KEY_TYPE, value: C.CKK_AES },
    { type: C.CKA_TOKEN, value: false },
    { type: C.CKA_SENSITIVE, value: false },
    { type: C.CKA_EXTRACTABLE, value: true },
    { type: C.CKA_WRAP, value: true },
    { type: C.CKA_UNWRAP, value: true },
    { type: C.CKA_ENCRYPT, value: true },
    { type: C.CKA_VALUE, value: Buffer.alloc(32, 7) },
  ]);
}

function keyEncryptionKey(thief: Attacker): Buffer {
  thief.library.C_FindObjectsInit(thief.session, [
    { type: C.CKA_CLASS, value: C.CKO_SECRET_KEY },
    { type: C.CKA_LABEL, value: 'signfleet-kek' },
  ]);
  const [found] = thief.library.C_FindObjects(thief.session, 1);
  thief.library.C_FindObjectsFinal(thief.session);
  return found!;
}

describe('with a stolen PIN', () => {
  let hsm: InitializedHsm;
  let signing: SigningToken;
  let provisioning: ProvisioningToken;
  let blob: Buffer;
  let thief: Attacker | undefined;

  const steal = (which: 'signing' | 'provisioning'): Attacker => {
    thief = attacker(hsm[which]);
    return thief;
  };

  beforeAll(async () => {
    hsm = await initializedHsm();
    const { enrolmentPublicKey } = hsm.report;
    signing = await openSigningToken({ ...hsm.signing, sessions: 1, enrolmentPublicKey });
    provisioning = await openProvisioningToken({ ...hsm.provisioning, sessions: 1 });
    const { record } = await provisioning.generateWrappedKey(
      { owner: { tenantId: 't', userId: 'u', keyId: 'k' }, algorithm: 'P-256' },
      () => Promise.resolve(),
    );
    blob = unframeWrappedKey(record.wrappedKey);
  });

  // What the thief made lives in the thief's session and goes with it.
  afterEach(() => {
    thief?.close();
    thief = undefined;
  });

  afterAll(async () => {
    await signing.close();
    await provisioning.close();
    await hsm.hsm.remove();
  });

  describe('of the signing token', () => {
    it.each(looseTemplates)('unwraps nothing with a loose template: $name', ({ template }) => {
      const { library, session } = steal('signing');
      const kek = keyEncryptionKey(thief!);
      const attempt = (): unknown =>
        library.C_UnwrapKey(session, wrapPad, kek, blob, [...template, ecKey]);
      expect(returnValueOf(attempt)).toContain('CKR_TEMPLATE_INCONSISTENT');
    });

    it('unwraps no user key as a secret key', () => {
      const { library, session } = steal('signing');
      const template = [
        { type: C.CKA_CLASS, value: C.CKO_SECRET_KEY },
        { type: C.CKA_KEY_TYPE, value: C.CKK_GENERIC_SECRET },
        ...lockedAttributes.filter(({ type }) => type !== C.CKA_CLASS),
      ];
      const kek = keyEncryptionKey(thief!);
      const attempt = (): unknown => library.C_UnwrapKey(session, wrapPad, kek, blob, template);
      expect(returnValueOf(attempt)).toContain('CKR_TEMPLATE_INCONSISTENT');
    });

    it('takes nothing out of a key that was unwrapped under lock', () => {
      const { library, session } = steal('signing');
      const key = library.C_UnwrapKey(session, wrapPad, keyEncryptionKey(thief!), blob, locked);
      const own = ownKey(thief!);
      const attempts: Record<string, () => unknown> = {
        read: () => library.C_GetAttributeValue(session, key, [{ type: C.CKA_VALUE }]),
        loosen: () =>
          library.C_SetAttributeValue(session, key, [{ type: C.CKA_EXTRACTABLE, value: true }]),
        reveal: () =>
          library.C_SetAttributeValue(session, key, [{ type: C.CKA_SENSITIVE, value: false }]),
        copy: () => library.C_CopyObject(session, key, [{ type: C.CKA_EXTRACTABLE, value: true }]),
        keep: () => library.C_CopyObject(session, key, [{ type: C.CKA_TOKEN, value: true }]),
        wrap: () => library.C_WrapKey(session, wrapPad, own, key, Buffer.alloc(4096)),
      };
      const unchangeable = /ACTION_PROHIBITED|READ_ONLY|VENDOR_DEFINED:27/;
      const refusals: Record<string, RegExp> = {
        read: /CKR_ATTRIBUTE_SENSITIVE/,
        loosen: unchangeable,
        reveal: unchangeable,
        copy: unchangeable,
        keep: unchangeable,
        wrap: /CKR_KEY_(UNEXTRACTABLE|NOT_WRAPPABLE)/,
      };
      for (const [name, attempt] of Object.entries(attempts))
        expect(returnValueOf(attempt)).toMatch(refusals[name]!);
    });

    it('uses the key encryption key for nothing but unwrapping', () => {
      const { library, session } = steal('signing');
      const kek = keyEncryptionKey(thief!);
      const own = ownKey(thief!);
      const attempts: (() => unknown)[] = [
        () => library.C_WrapKey(session, wrapPad, kek, own, Buffer.alloc(4096)),
        () => library.C_WrapKey(session, wrapPad, own, kek, Buffer.alloc(4096)),
        () => library.C_DecryptInit(session, { mechanism: C.CKM_AES_ECB }, kek),
        () => library.C_EncryptInit(session, { mechanism: C.CKM_AES_ECB }, kek),
        () => library.C_GetAttributeValue(session, kek, [{ type: C.CKA_VALUE }]),
        () => library.C_CopyObject(session, kek, [{ type: C.CKA_WRAP, value: true }]),
        () => library.C_SetAttributeValue(session, kek, [{ type: C.CKA_WRAP, value: true }]),
        () => library.C_SetAttributeValue(session, kek, [{ type: C.CKA_DECRYPT, value: true }]),
      ];
      for (const attempt of attempts) expect(returnValueOf(attempt)).not.toBe('CKR_OK');
    });

    it('slips no key of its own under the id of the key encryption key', async () => {
      const { library, session } = steal('signing');
      const kek = keyEncryptionKey(thief!);
      const [id] = library.C_GetAttributeValue(session, kek, [{ type: C.CKA_ID }]);
      const planted = library.C_CreateObject(session, [
        { type: C.CKA_CLASS, value: C.CKO_SECRET_KEY },
        { type: C.CKA_KEY_TYPE, value: C.CKK_AES },
        { type: C.CKA_TOKEN, value: true },
        { type: C.CKA_LABEL, value: 'signfleet-kek' },
        { type: C.CKA_ID, value: id!.value },
        { type: C.CKA_UNWRAP, value: true },
        { type: C.CKA_VALUE, value: Buffer.alloc(32, 7) },
      ]);
      const { enrolmentPublicKey } = hsm.report;
      const opening = openSigningToken({ ...hsm.signing, sessions: 1, enrolmentPublicKey });
      await expect(opening).rejects.toMatchObject({ code: 'key_missing' });
      const { objects } = await readTokenStatus(hsm.signing);
      expect(objects.map(({ label }) => label)).toEqual(['signfleet-kek', 'signfleet-kek']);
      library.C_DestroyObject(session, planted);
    });

    it('would succeed against a key encryption key without the template', () => {
      const { library, session } = steal('signing');
      const own = ownKey(thief!);
      const pair = library.C_GenerateKeyPair(
        session,
        { mechanism: C.CKM_EC_KEY_PAIR_GEN },
        [{ type: C.CKA_EC_PARAMS, value: Buffer.from('06082a8648ce3d030107', 'hex') }],
        [{ type: C.CKA_EXTRACTABLE, value: true }],
      );
      const wrapped = library.C_WrapKey(session, wrapPad, own, pair.privateKey, Buffer.alloc(4096));
      const loose = looseTemplates.find(({ name }) => name === 'readable')!;
      const template = [...loose.template, ecKey].filter(({ type }) => type !== C.CKA_MODIFIABLE);
      const key = library.C_UnwrapKey(session, wrapPad, own, wrapped, template);
      const [value] = library.C_GetAttributeValue(session, key, [{ type: C.CKA_VALUE }]);
      expect(value?.value).toHaveLength(32);
    });
  });

  describe('of the provisioning token', () => {
    it('unwraps nothing with the twin of the key encryption key', () => {
      const { library, session } = steal('provisioning');
      const kek = keyEncryptionKey(thief!);
      const attempts: (() => unknown)[] = [
        () => library.C_UnwrapKey(session, wrapPad, kek, blob, locked),
        () => library.C_DecryptInit(session, { mechanism: C.CKM_AES_ECB }, kek),
        () => library.C_SetAttributeValue(session, kek, [{ type: C.CKA_UNWRAP, value: true }]),
        () => library.C_CopyObject(session, kek, [{ type: C.CKA_UNWRAP, value: true }]),
        () => library.C_WrapKey(session, wrapPad, ownKey(thief!), kek, Buffer.alloc(4096)),
      ];
      for (const attempt of attempts) expect(returnValueOf(attempt)).not.toBe('CKR_OK');
    });

    it.each(['signfleet-enrolment', 'signfleet-ca'])('takes no %s key out', (label) => {
      const { library, session } = steal('provisioning');
      library.C_FindObjectsInit(session, [
        { type: C.CKA_CLASS, value: C.CKO_PRIVATE_KEY },
        { type: C.CKA_LABEL, value: label },
      ]);
      const key = library.C_FindObjects(session, 1)[0]!;
      library.C_FindObjectsFinal(session);
      const kek = keyEncryptionKey(thief!);
      const attempts: (() => unknown)[] = [
        () => library.C_GetAttributeValue(session, key, [{ type: C.CKA_VALUE }]),
        () => library.C_WrapKey(session, wrapPad, kek, key, Buffer.alloc(4096)),
        () => library.C_WrapKey(session, wrapPad, ownKey(thief!), key, Buffer.alloc(4096)),
        () => library.C_CopyObject(session, key, [{ type: C.CKA_EXTRACTABLE, value: true }]),
      ];
      for (const attempt of attempts) expect(returnValueOf(attempt)).not.toBe('CKR_OK');
    });
  });
});
