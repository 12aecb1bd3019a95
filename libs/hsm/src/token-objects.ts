import { CKA, CKO } from './constants.ts';
import type { Cryptoki, Handle } from './cryptoki.ts';
import { HsmError } from './error.ts';
import type { Lease } from './session-pool.ts';

/** CKA_LABEL of each object that the ceremony makes. */
export const objectLabels = {
  keyEncryptionKey: 'signfleet-kek',
  enrolmentKey: 'signfleet-enrolment',
  caKey: 'signfleet-ca',
} as const;

/** Token objects of a class and label with their CKA_ID in hex, which need not be unique. */
export function findTokenObjects(
  cryptoki: Cryptoki,
  session: Handle,
  o: { readonly objectClass: number; readonly label: string },
): [id: string, handle: Handle][] {
  const handles = cryptoki.find(session, [
    { type: CKA.class, value: o.objectClass },
    { type: CKA.label, value: o.label },
    { type: CKA.token, value: true },
  ]);
  return handles.map((handle) => [
    cryptoki.attribute(session, handle, CKA.id).toString('hex'),
    handle,
  ]);
}

// Without a login private objects are invisible, which must not pass for their absence.
function requireLogin(cryptoki: Cryptoki, session: Handle): void {
  if (!cryptoki.isLoggedIn(session))
    throw new HsmError('login_lost', 'the session is not logged in');
}

/** @throws HsmError `key_missing` unless there is exactly one; `login_lost`. */
export function findOnlyKey(
  cryptoki: Cryptoki,
  session: Handle,
  o: { readonly objectClass: number; readonly label: string },
): Handle {
  const [found, another] = findTokenObjects(cryptoki, session, o).map(([, handle]) => handle);
  if (found === undefined) requireLogin(cryptoki, session);
  if (found === undefined || another !== undefined)
    throw new HsmError('key_missing', `the token must hold exactly one "${o.label}"`, {
      details: { label: o.label },
    });
  return found;
}

type LoggedIn = Pick<Lease, 'session' | 'login'>;

/** Remembers what was found for as long as the login lasts that the handles belong to. */
export function perLogin<Found>(find: (session: Handle) => Found): (lease: LoggedIn) => Found {
  let remembered: { readonly login: number; readonly found: Found } | undefined;
  return ({ session, login }) => {
    if (remembered?.login !== login) remembered = { login, found: find(session) };
    return remembered.found;
  };
}

/**
 * CKA_ID in hex → handle.
 *
 * @throws HsmError `key_encryption_key_missing` if the token holds none at all; `key_missing` if two
 * have one id, since whoever has the PIN can put another key beside ours; `login_lost`.
 */
export function findKeyEncryptionKeys(cryptoki: Cryptoki, session: Handle): Map<string, Handle> {
  const objects = findTokenObjects(cryptoki, session, {
    objectClass: CKO.secretKey,
    label: objectLabels.keyEncryptionKey,
  });
  const found = new Map(objects);
  if (found.size === 0) requireLogin(cryptoki, session);
  if (found.size === 0)
    throw new HsmError(
      'key_encryption_key_missing',
      'the token holds no key encryption key: run the key ceremony',
    );
  if (found.size < objects.length)
    throw new HsmError('key_missing', 'the token holds two key encryption keys of one id');
  return found;
}
