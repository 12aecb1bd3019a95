import { randomBytes } from 'node:crypto';

import { CKA, CKK } from './constants.ts';
import type { Attribute, Cryptoki, Handle } from './cryptoki.ts';
import { HsmError } from './error.ts';
import { nativeTemplate } from './native-unwrap.ts';
import { CKR } from './return-value.ts';
import { lockedAttributes, type Unwrapping } from './unwrapped-key.ts';

/** Whether the HSM itself keeps unwrapped keys from leaving, or only the worker's good manners. */
export type SecurityLevel = 'locked' | 'unlocked';

// A read-only session refuses the wish for a token object before the template is even looked at.
function refusesTemplate(returnValue: string, template: readonly Attribute[]): boolean {
  const wantsTokenObject = template.some(({ type, value }) => type === CKA.token && value === true);
  return (
    returnValue === CKR.templateInconsistent ||
    (returnValue === CKR.sessionReadOnly && wantsTokenObject)
  );
}

function without(...types: number[]): Attribute[] {
  return lockedAttributes.filter(({ type }) => !types.includes(type));
}

function changed(...attributes: Attribute[]): Attribute[] {
  return [...without(...attributes.map(({ type }) => type)), ...attributes];
}

/** Templates with which a thief of the PIN would take a key out or keep it in the token. */
export const looseTemplates: readonly {
  readonly name: string;
  readonly template: readonly Attribute[];
}[] = [
  { name: 'extractable', template: changed({ type: CKA.extractable, value: true }) },
  { name: 'extractable omitted', template: without(CKA.extractable) },
  { name: 'not sensitive', template: changed({ type: CKA.sensitive, value: false }) },
  { name: 'sensitive omitted', template: without(CKA.sensitive) },
  {
    name: 'readable',
    template: changed(
      { type: CKA.extractable, value: true },
      { type: CKA.sensitive, value: false },
    ),
  },
  { name: 'token object', template: changed({ type: CKA.token, value: true }) },
  { name: 'copyable', template: changed({ type: CKA.copyable, value: true }) },
];

/**
 * Tries to unwrap `blob` loosely. Only a refusal of the template itself counts as locked. A random
 * blob serves where none is at hand: an HSM that checks the blob first then counts as unlocked.
 */
export async function probeLock(
  unwrapping: Omit<Unwrapping, 'cryptoki'> & { readonly cryptoki: Pick<Cryptoki, 'destroyObject'> },
  session: Handle,
  o: { readonly keyEncryptionKey: Handle; readonly blob?: Buffer },
): Promise<SecurityLevel> {
  let level: SecurityLevel = 'locked';
  for (const { template } of looseTemplates) {
    const native = nativeTemplate([...template, { type: CKA.keyType, value: CKK.ec }]);
    try {
      const loose = await unwrapping.unwrap(session, {
        mechanism: unwrapping.mechanism,
        unwrappingKey: o.keyEncryptionKey,
        wrappedKey: o.blob ?? randomBytes(48),
        template: native,
      });
      unwrapping.cryptoki.destroyObject(session, loose);
      level = 'unlocked';
    } catch (error) {
      if (!(error instanceof HsmError)) throw error;
      const returnValue = String(error.details['returnValue']);
      if (refusesTemplate(returnValue, template)) continue;
      const blobRefused = unwrapping.profile.unwrapRejections.includes(returnValue);
      if (error.spoils !== 'call' && !blobRefused) throw error;
      level = 'unlocked';
    }
  }
  return level;
}
