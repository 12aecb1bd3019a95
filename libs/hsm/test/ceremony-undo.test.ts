import pkcs11js from 'pkcs11js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { bearSigningKey, type Birthplace } from '../src/ceremony/birth.ts';
import { installSigningKey } from '../src/ceremony/install.ts';
import { generateRecoveryKey, importRecoveryKey } from '../src/ceremony/recovery-key.ts';
import { runCeremony } from '../src/index.ts';
import { openToken, type OpenToken } from '../src/open-token.ts';
import { attacker } from './attacker.ts';
import { ceremonyOptions, softHsm, type TestHsm, type TestToken } from './soft-hsm.ts';

const C = pkcs11js;

describe('a ceremony that fails in the middle', () => {
  let hsm: TestHsm;
  let count = 0;
  let token: TestToken;
  let opened: OpenToken | undefined;

  beforeAll(async () => {
    hsm = await softHsm();
  });
  beforeEach(async () => {
    count += 1;
    token = await hsm.initToken(`token-${count}`);
  });
  afterEach(() => opened?.close());
  afterAll(() => hsm.remove());

  it('leaves no private key whose public key was refused', async () => {
    const open = openToken(token, { sessions: 1, readWrite: true });
    opened = open;
    await open.pool.withSession(async (lease) => {
      const { cryptoki } = open;
      const { session } = lease;
      const material = generateRecoveryKey(cryptoki, session);
      const recoveryKey = importRecoveryKey(cryptoki, session, material);
      const at: Birthplace = { token: open, lease, recoveryKey };
      const copy = await bearSigningKey(at, 'key', 'P-256');
      const refused = { ...copy, publicAttributes: [] };
      await expect(installSigningKey(at, refused)).rejects.toMatchObject({
        code: 'template_rejected',
      });
      // SoftHSM itself leaves a husk of the refused public key behind.
      const privateKeys = [
        { type: C.CKA_TOKEN, value: true },
        { type: C.CKA_CLASS, value: C.CKO_PRIVATE_KEY },
      ];
      expect(cryptoki.find(session, privateKeys)).toHaveLength(0);
    });
  });

  it('tells both what failed and what could not be removed', async () => {
    const other = await hsm.initToken(`other-${count}`);
    const failure = new Error('no certificate');
    const failed = runCeremony({
      ...ceremonyOptions(hsm, { signing: token, provisioning: other }),
      issueCaCertificate: () => {
        const vandal = attacker(token);
        for (const object of vandal.objects())
          vandal.library.C_DestroyObject(vandal.session, object);
        vandal.close();
        return Promise.reject(failure);
      },
    });
    await expect(failed).rejects.toMatchObject({
      code: 'device_error',
      cause: { errors: [failure, expect.any(AggregateError)] },
    });
  });
});
