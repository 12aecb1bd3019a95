import { describe, expect, it } from 'vitest';

import { CKM } from '../src/constants.ts';
import { probeLock } from '../src/lock-probe.ts';
import { returnValueError } from '../src/return-value.ts';
import { vendorProfileOf } from '../src/vendor-profile.ts';

const CKR_SESSION_READ_ONLY = 0xb5;
const CKR_TEMPLATE_INCONSISTENT = 0xd1;

/** What is found out about an HSM that answers each loose unwrap in turn with these values. */
function probed(answers: (attempt: number) => number): Promise<string> {
  let attempt = -1;
  const unwrapping = {
    cryptoki: { destroyObject: () => undefined },
    mechanism: { mechanism: CKM.aesKeyWrapPad },
    profile: vendorProfileOf({ label: '', manufacturer: '', model: '', serial: '' }),
    unwrap: () => {
      attempt += 1;
      return Promise.reject(returnValueError('C_UnwrapKey', answers(attempt)));
    },
  };
  return probeLock(unwrapping, Buffer.alloc(8), { keyEncryptionKey: Buffer.alloc(8) });
}

describe('the probe of the lock', () => {
  it('takes refused templates for a lock', async () => {
    expect(await probed(() => CKR_TEMPLATE_INCONSISTENT)).toBe('locked');
  });

  it('takes a read-only session for a lock only where a token object was asked for', async () => {
    expect(await probed(() => CKR_SESSION_READ_ONLY)).toBe('unlocked');
    const tokenObject = 5;
    expect(
      await probed((attempt) =>
        attempt === tokenObject ? CKR_SESSION_READ_ONLY : CKR_TEMPLATE_INCONSISTENT,
      ),
    ).toBe('locked');
  });
});
