import { z } from 'zod';
import type { Database } from './database.ts';
import type { SigningState } from './signing.ts';

const count = {
  name: 'signing_count',
  text: 'SELECT state, count(*)::int AS count FROM signings GROUP BY state',
  row: z.object({
    state: z.enum(['queued', 'signing', 'completed', 'failed', 'canceled']),
    count: z.int(),
  }),
};

/** How many signings of all tenants are in each state that has any; reads the whole table. */
export async function countSignings(
  db: Database,
): Promise<readonly { readonly state: SigningState; readonly count: number }[]> {
  return db.query(count, []);
}
