import { describe, expect, it } from 'vitest';
import { JobsError, parseQueueUrl } from '../src/index.ts';

describe('parseQueueUrl', () => {
  it('takes a PostgreSQL URL as it is', () => {
    for (const url of [
      'postgres://user:p%40ss@db.example:5432/signfleet?sslmode=verify-full',
      'postgresql:///signfleet?host=/var/run/postgresql',
    ]) {
      expect(parseQueueUrl(url)).toEqual({ backend: 'postgres', connectionString: url });
    }
  });

  it('reads one Redis server', () => {
    expect(parseQueueUrl('redis://cache.example')).toEqual({
      backend: 'redis',
      tls: false,
      topology: { kind: 'single', server: { host: 'cache.example', port: 6379 }, database: 0 },
    });
    expect(parseQueueUrl('rediss://user:p%40ss%3A@[::1]:7000/3')).toEqual({
      backend: 'redis',
      tls: true,
      username: 'user',
      password: 'p@ss:',
      topology: { kind: 'single', server: { host: '::1', port: 7000 }, database: 3 },
    });
  });

  it('reads a Sentinel group', () => {
    expect(parseQueueUrl('redis+sentinel://:secret@a:26380,b/mymaster/2')).toEqual({
      backend: 'redis',
      tls: false,
      password: 'secret',
      topology: {
        kind: 'sentinel',
        sentinels: [
          { host: 'a', port: 26380 },
          { host: 'b', port: 26379 },
        ],
        name: 'mymaster',
        database: 2,
      },
    });
  });

  it('reads a Cluster', () => {
    expect(parseQueueUrl('rediss+cluster://a:7000,b:7001')).toMatchObject({
      tls: true,
      topology: {
        kind: 'cluster',
        servers: [
          { host: 'a', port: 7000 },
          { host: 'b', port: 7001 },
        ],
      },
    });
  });

  it.each([
    ['', 'form'],
    ['localhost:6379', 'form'],
    ['mysql://u:hunter2@h/db', 'scheme'],
    ['redis://u:hunter2@h:99999', 'port'],
    ['redis://u:hunter2@h:port', 'host'],
    ['redis://u:hunter2@', 'host'],
    ['redis://u:hunter2@a,b', 'host'],
    ['redis://u:hunter2@h/one', 'database'],
    ['redis://u:hunter2@h?db=1', 'query'],
    ['redis://u:hunter2%zz@h', 'password'],
    ['redis+sentinel://u:hunter2@h', 'name'],
    ['redis+cluster://u:hunter2@h/1', 'database'],
    ['postgres://u:hunter2@h:port/db', 'host'],
    ['postgres://u:hunter2@h', 'database'],
    ['postgres://u:hunter2%zz@h/db', 'password'],
  ])('names the bad part of %s, and nothing of the password', (url, part) => {
    let thrown: unknown;
    try {
      parseQueueUrl(url);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(JobsError);
    expect(thrown).toMatchObject({ code: 'url_invalid', details: { part } });
    const error = thrown as JobsError;
    expect(`${error.message} ${error.stack ?? ''}`).not.toContain('hunter2');
    expect(error.cause).toBeUndefined();
  });
});
