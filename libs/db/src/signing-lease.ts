import { z } from 'zod';
import type { Database } from './database.ts';
import { GRACE_SECONDS } from './signing.ts';

const extend = {
  name: 'signing_extend_lease',
  text: `UPDATE signings SET lease_expires_at = now() + make_interval(secs => $3),
      wake_at = now() + make_interval(secs => $3)
    WHERE id = $1 AND fencing_token = $2 AND state = 'signing' RETURNING id`,
  row: z.object({ id: z.string() }),
};

/** Holds a claimed signing for another `leaseSeconds` from now. */
export async function extendSigningLease(
  db: Database,
  o: { readonly id: string; readonly fencingToken: number; readonly leaseSeconds: number },
): Promise<'extended' | 'fenced'> {
  const rows = await db.query(extend, [o.id, o.fencingToken, o.leaseSeconds]);
  return rows.length === 0 ? 'fenced' : 'extended';
}

const release = {
  name: 'signing_release',
  text: `UPDATE signings SET state = 'queued', lease_expires_at = NULL, worker_id = NULL,
      wake_at = now() + make_interval(secs => $3::double precision + ${GRACE_SECONDS}),
      error_code = $4, error_message = $5
    WHERE id = $1 AND fencing_token = $2 AND state = 'signing' RETURNING id`,
  row: z.object({ id: z.string() }),
};

/** Gives a claimed signing back to be tried again in `retryInMs`; the reason stays readable meanwhile. */
export async function releaseSigning(
  db: Database,
  o: {
    readonly id: string;
    readonly fencingToken: number;
    readonly retryInMs: number;
    readonly errorCode: string;
    readonly errorMessage: string;
  },
): Promise<'released' | 'fenced'> {
  const values = [o.id, o.fencingToken, o.retryInMs / 1000, o.errorCode, o.errorMessage];
  const rows = await db.query(release, values);
  return rows.length === 0 ? 'fenced' : 'released';
}
