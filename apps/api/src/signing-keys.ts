import { findUsableKeys, type Caller, type Database, type UsableKey } from '@signfleet/db';

/** Names a key by itself or by its user. */
export interface KeyReference {
  readonly keyId?: string | undefined;
  readonly userId?: string | undefined;
}

/** The keys that one caller may sign with, among those that its request names. */
export interface SigningKeys {
  /** The key named, or the user's newest active key; undefined if the caller may use none. */
  choose(reference: KeyReference): UsableKey | undefined;
}

/** Looks up all keys of a request at once, however many documents it has. */
export async function findSigningKeys(
  db: Database,
  caller: Caller,
  references: readonly KeyReference[],
): Promise<SigningKeys> {
  const { byKeyId, byUserId } = await findUsableKeys(db, {
    tenantId: caller.tenantId,
    apiKeyId: caller.apiKeyId,
    keyIds: distinct(references.map(({ keyId }) => keyId)),
    userIds: distinct(references.map(({ userId }) => userId)),
  });
  return {
    choose: ({ keyId, userId }) =>
      keyId === undefined ? byUserId.get(userId ?? '') : byKeyId.get(keyId),
  };
}

function distinct(ids: readonly (string | undefined)[]): string[] {
  return [...new Set(ids.filter((id) => id !== undefined))];
}
