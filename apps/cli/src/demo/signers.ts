import type { ApiClient } from '../api-client.ts';
import { enrolledKey } from '../enrolled-key.ts';
import { CliError } from '../error.ts';
import { collectAll } from '../list-all.ts';
import { keySchema, pageOf, userSchema, type User } from '../resources.ts';
import { z } from 'zod';

/** The three people of the demo; each has an algorithm of its own. */
const people = [
  { externalId: 'alice', name: 'Alice Archer', algorithm: 'RSA-3072' },
  { externalId: 'bob', name: 'Bob Baker', algorithm: 'P-256' },
  { externalId: 'carol', name: 'Carol Carter', algorithm: 'P-384' },
] as const;

export interface DemoSigner {
  readonly userId: string;
  readonly name: string;
  readonly algorithm: string;
}

/** Creates the users and enrols their keys the first time; finds them later. */
export async function enrolSigners(api: ApiClient): Promise<DemoSigner[]> {
  return Promise.all(
    people.map(async (person) => {
      const user = await findOrCreate(api, person);
      await activeKey(api, user.id, person.algorithm);
      return { userId: user.id, name: person.externalId, algorithm: person.algorithm };
    }),
  );
}

async function findOrCreate(api: ApiClient, person: (typeof people)[number]): Promise<User> {
  const { externalId, name } = person;
  const page = await api.call({
    path: '/v1/users',
    query: { externalId },
    schema: pageOf(userSchema),
  });
  const [existing] = page.items;
  if (existing !== undefined) return existing;
  return api.call({
    method: 'POST',
    path: '/v1/users',
    body: { externalId, name, organization: 'Example Ltd', country: 'DE' },
    schema: userSchema,
  });
}

async function activeKey(api: ApiClient, userId: string, algorithm: string): Promise<void> {
  const keys = await collectAll(api, { path: '/v1/keys', query: { userId }, item: keySchema });
  if (keys.some((key) => key.state === 'active')) return;
  const pending = keys.find((key) => key.state === 'pending');
  const { id } =
    pending ??
    (await api.call({
      method: 'POST',
      path: '/v1/keys',
      body: { userId, algorithm },
      schema: z.object({ id: z.string() }),
    }));
  const key = await enrolledKey(api, id);
  if (key.state !== 'active') {
    throw new CliError('local_stack_failed', `a key could not be enrolled: ${key.error?.message}`);
  }
}
