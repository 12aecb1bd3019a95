import { JobsError } from './error.ts';

/** One `host:port` of a list. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

interface RedisAccess {
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean;
}

/** Where the queue lives, as QUEUE_URL said. */
export type QueueTarget =
  | { readonly backend: 'postgres'; readonly connectionString: string }
  | (RedisAccess & {
      readonly backend: 'redis';
      readonly topology:
        | { readonly kind: 'single'; readonly server: HostPort; readonly database: number }
        | {
            readonly kind: 'sentinel';
            readonly sentinels: readonly HostPort[];
            /** Name of the master group. */
            readonly name: string;
            readonly database: number;
          }
        | { readonly kind: 'cluster'; readonly servers: readonly HostPort[] };
    });

/** scheme://[userinfo@]host[,host…][/path][?query]; WHATWG URL knows no host lists. */
const shape =
  /^(?<scheme>[a-z+]+):\/\/(?:(?<userinfo>[^/?#]*)@)?(?<hosts>[^@/?#]*)(?:\/(?<path>[^?#]*))?(?<query>\?[^#]*)?$/;

function invalid(part: string, expected: string): JobsError {
  return new JobsError('url_invalid', `QUEUE_URL: ${part} ${expected}`, { details: { part } });
}

function decode(part: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The cause would quote the text, which may be the password.
    throw invalid(part, 'is not percent-encoded correctly');
  }
}

function parseHost(text: string, defaultPort: number): HostPort {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]\s]+)(?::(\d+))?$/.exec(text);
  if (match?.[1] === undefined) throw invalid('host', 'is not host or host:port');
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  if (port < 1 || port > 65_535) throw invalid('port', 'is not between 1 and 65535');
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

function parseHosts(text: string, defaultPort: number): HostPort[] {
  return text.split(',').map((host) => parseHost(host, defaultPort));
}

function parseSingleHost(text: string): HostPort {
  const [server, ...others] = parseHosts(text, 6379);
  if (server === undefined || others.length > 0) {
    throw invalid('host', 'is a list; use redis+sentinel:// or redis+cluster://');
  }
  return server;
}

function parseDatabase(text: string): number {
  if (!/^\d{0,5}$/.test(text)) throw invalid('database', 'is not a number');
  return Number(text);
}

function parseUserinfo(text: string | undefined): Pick<RedisAccess, 'username' | 'password'> {
  if (text === undefined || text === '') return {};
  const separator = text.indexOf(':');
  const username = separator === -1 ? text : text.slice(0, separator);
  const password = separator === -1 ? '' : text.slice(separator + 1);
  return {
    ...(username === '' ? {} : { username: decode('username', username) }),
    ...(password === '' ? {} : { password: decode('password', password) }),
  };
}

function parsePostgres(url: string): QueueTarget {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) throw invalid('host', 'or port is malformed');
  if (parsed.pathname.length < 2) throw invalid('database', 'is missing');
  decode('username', parsed.username);
  decode('password', parsed.password);
  decode('database', parsed.pathname);
  return { backend: 'postgres', connectionString: url };
}

/**
 * Parses QUEUE_URL:
 * - `postgres://user:password@host:5432/database?sslmode=…` (also `postgresql://`)
 * - `redis://user:password@host:6379/0`, `rediss://…` with TLS
 * - `redis+sentinel://user:password@host:26379,host:26379/name/0`, `rediss+sentinel://…`
 * - `redis+cluster://user:password@host:6379,host:6379`, `rediss+cluster://…`
 *
 * User and password are those of the Redis servers and of the Sentinels alike.
 * Throws {@link JobsError} `url_invalid` naming the bad part; neither the message nor the cause
 * repeats anything of the URL.
 */
export function parseQueueUrl(url: string): QueueTarget {
  const parts = shape.exec(url)?.groups;
  if (parts === undefined) throw invalid('form', 'is not scheme://host/…');
  const { scheme = '', userinfo, hosts = '', path = '', query } = parts;
  if (scheme === 'postgres' || scheme === 'postgresql') return parsePostgres(url);
  if (query !== undefined) throw invalid('query', 'is not supported with Redis');
  const access = { ...parseUserinfo(userinfo), tls: scheme.startsWith('rediss') };
  switch (scheme.replace(/^rediss/, 'redis')) {
    case 'redis': {
      const server = parseSingleHost(hosts);
      const topology = { kind: 'single', server, database: parseDatabase(path) } as const;
      return { backend: 'redis', ...access, topology };
    }
    case 'redis+sentinel': {
      const [name = '', database = ''] = path.split('/', 2);
      if (name === '') throw invalid('name', 'of the Sentinel master group is missing');
      const sentinels = parseHosts(hosts, 26_379);
      const topology = {
        kind: 'sentinel',
        sentinels,
        name: decode('name', name),
        database: parseDatabase(database),
      } as const;
      return { backend: 'redis', ...access, topology };
    }
    case 'redis+cluster': {
      if (path !== '') throw invalid('database', 'is not supported by a Redis Cluster');
      const topology = { kind: 'cluster', servers: parseHosts(hosts, 6379) } as const;
      return { backend: 'redis', ...access, topology };
    }
    default:
      throw invalid('scheme', 'is none of postgres, redis, redis+sentinel, redis+cluster');
  }
}
