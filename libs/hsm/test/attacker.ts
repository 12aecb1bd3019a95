import pkcs11js from 'pkcs11js';

import type { TestToken } from './soft-hsm.ts';

/**
 * Somebody in the same process who has the module and a token's PIN: bare pkcs11js, none of our
 * code. It shares C_Initialize with the library under test, so use it while a token is open.
 */
export interface Attacker {
  readonly library: pkcs11js.PKCS11;
  readonly session: Buffer;
  /** Every object that the logged-in user sees, of any session. */
  objects(): Buffer[];
  close(): void;
}

export function attacker(token: TestToken): Attacker {
  const library = new pkcs11js.PKCS11();
  library.load(token.modulePath);
  const label = token.tokenUri.replace('pkcs11:token=', '');
  const slot = library
    .C_GetSlotList(true)
    .find((candidate) => library.C_GetTokenInfo(candidate).label.trimEnd() === label)!;
  const session = library.C_OpenSession(slot, 4 | 2);
  try {
    library.C_Login(session, 1, token.pin);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('ALREADY_LOGGED_IN')) throw error;
  }
  return {
    library,
    session,
    objects: () => {
      library.C_FindObjectsInit(session, []);
      const found = library.C_FindObjects(session, 1000);
      library.C_FindObjectsFinal(session);
      return found;
    },
    close: () => {
      library.C_CloseSession(session);
    },
  };
}
