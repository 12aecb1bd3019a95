import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CKA, CKM } from '../src/constants.ts';
import { Cryptoki } from '../src/cryptoki.ts';
import { HsmError } from '../src/error.ts';
import { nativeTemplate, nativeUnwrap } from '../src/native-unwrap.ts';
import { softHsm, type TestHsm } from './soft-hsm.ts';

describe('the native unwrap', () => {
  let hsm: TestHsm;
  let cryptoki: Cryptoki;

  beforeAll(async () => {
    hsm = await softHsm();
    cryptoki = Cryptoki.open(hsm.modulePath);
  });
  afterAll(async () => {
    cryptoki.close();
    await hsm.remove();
  });

  it('answers more calls at a time than can be queued, each with a typed error', async () => {
    const unwrap = nativeUnwrap(hsm.modulePath);
    const nowhere = Buffer.alloc(8, 0x7f);
    const request = {
      mechanism: { mechanism: CKM.aesKeyWrapPad },
      unwrappingKey: nowhere,
      wrappedKey: Buffer.alloc(48),
      template: nativeTemplate([{ type: CKA.token, value: false }]),
    };
    const codes = await Promise.all(
      Array.from({ length: 400 }, () =>
        unwrap(nowhere, request).then(
          () => 'unwrapped',
          (error: unknown) => (error instanceof HsmError ? error.code : error),
        ),
      ),
    );
    expect(new Set(codes)).toEqual(new Set(['session_lost', 'out_of_resources']));
  });
});
