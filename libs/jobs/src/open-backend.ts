import { withDeadline } from './deadline.ts';
import { JobsError } from './error.ts';
import { openPostgresBackend } from './postgres-backend.ts';
import { deadlines, type BackendRole, type QueueBackend } from './queue-backend.ts';
import { parseQueueUrl } from './queue-url.ts';
import { openRedisBackend } from './redis-backend.ts';

function unavailable(cause?: unknown): JobsError {
  return new JobsError('unavailable', 'the queue server cannot be reached', { cause });
}

/** Tells "not reachable now" from "refused", whichever the backend is. */
export function asJobsError(backend: QueueBackend, cause: unknown): JobsError {
  if (cause instanceof JobsError) return cause;
  if (backend.isUnavailable(cause)) return unavailable(cause);
  return new JobsError('rejected', 'the queue server refused the request', { cause });
}

/** Runs one request against a backend within its deadline; every failure is a {@link JobsError}. */
export async function request<Result>(
  backend: QueueBackend,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await withDeadline(work(), deadlines.request, () => unavailable());
  } catch (cause) {
    throw asJobsError(backend, cause);
  }
}

/**
 * Connects to what `url` names. `connections` bounds the pool of PostgreSQL; Redis multiplexes.
 * Throws {@link JobsError} `url_invalid`, or `unavailable` if there is no connection in time.
 */
export async function openBackend(o: {
  readonly url: string;
  readonly role: BackendRole;
  readonly connections: number;
  /** Told of each failure to reach the server once it was reached. */
  readonly onUnavailable: (error: JobsError) => void;
}): Promise<QueueBackend> {
  const target = parseQueueUrl(o.url);
  let opened = false;
  const onError = (cause: unknown): void => {
    if (opened) o.onUnavailable(unavailable(cause));
  };
  try {
    const backend = await (target.backend === 'postgres'
      ? openPostgresBackend({ ...o, onError, connectionString: target.connectionString })
      : openRedisBackend({ ...o, onError, target }));
    opened = true;
    return backend;
  } catch (cause) {
    throw unavailable(cause);
  }
}

/** The name of a kind's queue. Queues of different prefixes on one server never meet. */
export function queueName(prefix: string | undefined, kind: string): string {
  return `${prefix ?? 'signfleet'}-${kind}`;
}

/** Redis keys of one queue share a hash tag, so that a Cluster keeps them on one node. */
export function redisKeyPrefix(name: string): string {
  return `{${name}}`;
}
