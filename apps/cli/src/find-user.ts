import type { ApiClient } from './api-client.ts';
import { CliError } from './error.ts';
import { pageOf, userSchema, type User } from './resources.ts';

/** The user meant by an id (`usr_…`) or by an external id. */
export async function findUser(api: ApiClient, name: string): Promise<User> {
  if (name.startsWith('usr_')) {
    return api.call({ path: `/v1/users/${encodeURIComponent(name)}`, schema: userSchema });
  }
  const page = await api.call({
    path: '/v1/users',
    query: { externalId: name },
    schema: pageOf(userSchema),
  });
  const [user] = page.items;
  if (user === undefined) {
    throw new CliError('usage', `no user "${name}": see "signfleet users list"`);
  }
  return user;
}
