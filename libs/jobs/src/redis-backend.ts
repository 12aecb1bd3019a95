import { createRedisBackend } from 'bullmq';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { withDeadline } from './deadline.ts';
import { deadlines, type BackendRole, type QueueBackend } from './queue-backend.ts';
import type { QueueTarget } from './queue-url.ts';

type ClientOptions = Omit<RedisOptions, 'replyMapping'>;
type RedisTarget = Extract<QueueTarget, { backend: 'redis' }>;

/** Replies by which a Redis server says "not now"; any other reply is a no. */
const transientReply =
  /^(LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|OOM|UNBLOCKED)\b/;
const transientName = /^(MaxRetriesPerRequestError|ClusterAllFailedError|AbortError)$/;
/** ioredis and BullMQ give these neither a code nor a name. */
const transientMessage =
  /connection is closed|connection is in|timed out|socket timeout|not writ?eable|isn't writeable|no answer|sentinels are unreachable|refresh slots|none of startup nodes|ready check failed/i;

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') return transientReply.test(error.message);
  return (
    transientName.test(error.name) ||
    transientMessage.test(error.message) ||
    // The system's errors: ECONNREFUSED, ENOTFOUND, EPIPE, … BullMQ's own codes are numbers.
    ('code' in error && typeof error.code === 'string' && /^E[A-Z]+/.test(error.code))
  );
}

/** Milliseconds to wait before reconnecting for the nth time; never gives up. */
function reconnectDelay(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 6), 2_000);
}

function commonOptions(target: RedisTarget, role: BackendRole): ClientOptions {
  return {
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
    ...(target.tls ? { tls: {} } : {}),
    connectTimeout: deadlines.connect,
    keepAlive: 10_000,
    socketTimeout: deadlines.command[role],
    lazyConnect: true,
    // A producer's caller waits: it fails on the second try. A consumer's command outlasts the outage.
    maxRetriesPerRequest: role === 'producer' ? 1 : null,
    retryStrategy: reconnectDelay,
  };
}

function newClient(target: RedisTarget, role: BackendRole): Redis | Cluster {
  const common = commonOptions(target, role);
  const { topology } = target;
  switch (topology.kind) {
    case 'single':
      return new Redis({ ...common, ...topology.server, db: topology.database });
    case 'sentinel': {
      const { username, password } = target;
      return new Redis({
        ...common,
        sentinels: [...topology.sentinels],
        name: topology.name,
        db: topology.database,
        ...(username === undefined ? {} : { sentinelUsername: username }),
        ...(password === undefined ? {} : { sentinelPassword: password }),
        ...(target.tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
        sentinelRetryStrategy: reconnectDelay,
      });
    }
    case 'cluster': {
      const { lazyConnect, retryStrategy, ...redisOptions } = common;
      return new Cluster([...topology.servers], {
        redisOptions,
        lazyConnect: lazyConnect ?? true,
        clusterRetryStrategy: retryStrategy ?? reconnectDelay,
        ...(target.tls ? { dnsLookup: (address, callback) => callback(null, address) } : {}),
      });
    }
  }
}

/** BullMQ on Redis 6.2 or newer (or Valkey): one server, a Sentinel group or a Cluster. */
export async function openRedisBackend(o: {
  readonly target: RedisTarget;
  readonly role: BackendRole;
  /** Told of each failure to reach the server. */
  readonly onError: (error: unknown) => void;
}): Promise<QueueBackend> {
  const client = newClient(o.target, o.role);
  client.on('error', o.onError);
  try {
    await withDeadline(client.connect(), deadlines.request, () => new Error('no answer'));
  } catch (error) {
    client.disconnect();
    throw error;
  }
  return {
    createBackend: (name, options, extra) =>
      createRedisBackend(name, { ...options, connection: client }, extra),
    isUnavailable,
    ping: async () => {
      await client.ping();
    },
    close: () => {
      client.disconnect();
      return Promise.resolve();
    },
  };
}
