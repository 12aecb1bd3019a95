import type { Caller, Database, Rejection, SigningRequest } from '@signfleet/db';
import { ApiError } from './errors.ts';
import type { ObjectPolicy } from './object-policy.ts';
import { fieldErrors } from './schema-compiler.ts';
import { newSigning, type NewSigningBody } from './schemas/signing.ts';
import { findSigningKeys } from './signing-keys.ts';
import { signingRequest } from './signing-request.ts';

/** The items of a batch, divided; `index` is the place in the caller's list. */
export interface SortedItems {
  readonly items: readonly { readonly index: number; readonly request: SigningRequest }[];
  readonly rejections: readonly Rejection[];
}

/** At most this much is said about one bad item: 10,000 of them must fit into one answer. */
const maxMessageLength = 300;

/** Parses and authorises each item by itself; a bad one refuses only itself. */
export async function sortBatchItems(
  given: readonly unknown[],
  context: { db: Database; caller: Caller; policy: ObjectPolicy },
): Promise<SortedItems> {
  const { db, caller, policy } = context;
  const rejections: Rejection[] = [];
  const bodies: { index: number; body: NewSigningBody }[] = [];
  for (const [index, item] of given.entries()) {
    const parsed = newSigning.safeParse(item);
    if (parsed.success) bodies.push({ index, body: parsed.data });
    else
      rejections.push({ index, code: 'invalid_request', message: describe(parsed.error.issues) });
  }
  const keys = await findSigningKeys(
    db,
    caller,
    bodies.map(({ body }) => body),
  );
  const items: { index: number; request: SigningRequest }[] = [];
  for (const { index, body } of bodies) {
    try {
      items.push({ index, request: signingRequest(body, { caller, keys, policy }) });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      rejections.push({ index, code: error.code, message: error.message });
    }
  }
  return { items, rejections };
}

function describe(issues: Parameters<typeof fieldErrors>[0]): string {
  const faults = fieldErrors(issues, 'body').map(({ pointer, detail }) => `${pointer}: ${detail}`);
  const text = faults.join('; ');
  return text.length <= maxMessageLength ? text : `${text.slice(0, maxMessageLength)}…`;
}
