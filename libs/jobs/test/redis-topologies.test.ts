import { randomUUID } from 'node:crypto';
import { ResourceStack } from '@signfleet/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { consume, openQueues, type Queues } from '../src/index.ts';
import { jobLog, until, type JobLog } from './job-log.ts';
import { startRedisProcess, type RedisProcess } from './redis-process.ts';

const kind = 'sign-document';
let resources: ResourceStack;
beforeEach(() => {
  resources = new ResourceStack();
});
afterEach(() => resources.close());

async function redis(configuration: readonly string[], ...flags: string[]): Promise<RedisProcess> {
  const started = await startRedisProcess(configuration, ...flags);
  return resources.use('redis-server', started, (process) => process.remove());
}

async function open(url: string, log: JobLog): Promise<Queues> {
  const prefix = `test-${randomUUID()}`;
  const queues = await openQueues({ url, prefix });
  resources.use('queues', queues, (opened) => opened.close());
  const consumer = await consume({ ...log, url, prefix, kind, concurrency: 4, lockMs: 1_000 });
  resources.use('consumer', consumer, (opened) => opened.close());
  return queues;
}

const retryOnce = (): JobLog =>
  jobLog(({ attempt }) =>
    attempt === 1 ? { outcome: 'retry', retryInMs: 20, reason: 's3_down' } : { outcome: 'done' },
  );

describe('queues on a Redis Cluster', () => {
  it('enqueue, run and retry', async () => {
    const node = await redis(['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1', 'save ""']);
    expect(await node.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')).toBe('OK\n');
    await until(async () => (await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    const log = retryOnce();
    const queues = await open(`redis+cluster://127.0.0.1:${node.port}`, log);
    const ids = Array.from({ length: 100 }, (_, index) => `sig_${index}`);
    await queues.enqueue(kind, ids);
    await until(() => log.started.length === 200);
    await until(async () => (await queues.counts(kind)).active === 0);
    expect(await queues.counts(kind)).toEqual({ waiting: 0, active: 0, delayed: 0 });
    await queues.ping();
  });
});

describe('queues on a Sentinel group', () => {
  it('follow a failover', async () => {
    const authentication = ['requirepass pw', 'masterauth pw', 'save ""'];
    const primary = await redis(authentication);
    const replica = await redis([...authentication, `replicaof 127.0.0.1 ${primary.port}`]);
    const sentinel = await redis(
      [
        'requirepass pw',
        `sentinel monitor group 127.0.0.1 ${primary.port} 1`,
        'sentinel auth-pass group pw',
        'sentinel down-after-milliseconds group 500',
        'sentinel failover-timeout group 2000',
      ],
      '--sentinel',
    );
    const log = retryOnce();
    const queues = await open(`redis+sentinel://:pw@127.0.0.1:${sentinel.port}/group`, log);
    await queues.enqueue(kind, ['sig_before']);
    await until(() => log.started.length === 2);
    const ask = (process: RedisProcess, ...words: string[]): Promise<string> =>
      process.command('-a', 'pw', '--no-auth-warning', ...words);
    await until(async () => (await ask(replica, 'INFO')).includes('master_link_status:up'));
    await until(async () =>
      (await ask(sentinel, 'SENTINEL', 'REPLICAS', 'group')).includes('master-link-status\nok'),
    );
    await primary.kill();
    await until(() =>
      queues.enqueue(kind, ['sig_after']).then(
        () => true,
        () => false,
      ),
    );
    await until(() => log.started.filter((entry) => entry.startsWith('sig_after#')).length === 2);
    expect(log.errors.every(({ code }) => code === 'unavailable')).toBe(true);
  });
});
