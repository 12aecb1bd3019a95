import { randomUUID } from 'node:crypto';
import { ResourceStack } from '@signfleet/errors';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { consume, openQueues, type Consumer, type Queues } from '../src/index.ts';
import { gate, jobLog, until, type JobLog } from './job-log.ts';
import { outageConformance } from './outage-conformance.ts';

/** A real queue server under test. */
export interface QueueServer {
  readonly url: string;
  stop(): Promise<void>;
  /** Starts it again on the same address, with what it had persisted. */
  start(): Promise<void>;
  /** Stops it for good and removes its data. */
  remove(): Promise<void>;
}

/** What each test gets: queues under a prefix of their own, and resources closed after it. */
export interface QueueFixture {
  readonly server: QueueServer;
  readonly prefix: string;
  readonly queues: Queues;
  readonly resources: ResourceStack;
  readonly consume: (log: JobLog, concurrency?: number) => Promise<Consumer>;
}

const kind = 'sign-document';

function ids(count: number, prefix = 'sig'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}_${index}`);
}

function enqueueConformance(fixture: () => QueueFixture): void {
  it('runs a job with the id of its row', async () => {
    const { queues, consume } = fixture();
    const log = jobLog();
    await consume(log);
    await queues.enqueue(kind, ['sig_1']);
    await until(() => log.started.length === 1);
    expect(log.started).toEqual(['sig_1#1']);
    expect(log.errors).toEqual([]);
  });

  it('keeps the order of the ids', async () => {
    const { queues, consume } = fixture();
    const log = jobLog();
    await queues.enqueue(kind, ids(50));
    await consume(log, 1);
    await until(() => log.started.length === 50);
    expect(log.started).toEqual(ids(50).map((id) => `${id}#1`));
  });

  it('keeps kinds and prefixes apart', async () => {
    const { server, queues, resources, consume } = fixture();
    const prefix = `other-${randomUUID()}`;
    const other = await openQueues({ url: server.url, prefix });
    resources.use('other queues', other, (opened) => opened.close());
    await other.enqueue(kind, ['sig_other']);
    await queues.enqueue('enrol-key', ['key_1']);
    await queues.enqueue(kind, ['sig_1']);
    const log = jobLog();
    await consume(log);
    await until(() => log.started.length === 1);
    expect(log.started).toEqual(['sig_1#1']);
    expect(await queues.counts('enrol-key')).toEqual({ waiting: 1, active: 0, delayed: 0 });
    expect(await other.counts(kind)).toEqual({ waiting: 1, active: 0, delayed: 0 });
  });

  it('ignores an id that waits already', async () => {
    const { queues } = fixture();
    await queues.enqueue(kind, ['sig_1']);
    await queues.enqueue(kind, ['sig_1']);
    await queues.enqueue(kind, ['sig_2', 'sig_1', 'sig_2']);
    expect(await queues.counts(kind)).toEqual({ waiting: 2, active: 0, delayed: 0 });
  });

  it('ignores an id that runs already', async () => {
    const { queues, consume } = fixture();
    const finish = gate();
    const log = jobLog(() => finish.opened.then(() => ({ outcome: 'done' })));
    const consumer = await consume(log);
    await queues.enqueue(kind, ['sig_1']);
    await until(() => consumer.active() === 1);
    await queues.enqueue(kind, ['sig_1', 'sig_2']);
    await until(() => consumer.active() === 2);
    finish.open();
    await until(async () => (await queues.counts(kind)).active === 0);
    expect(log.started).toEqual(['sig_1#1', 'sig_2#1']);
    expect(await queues.counts(kind)).toEqual({ waiting: 0, active: 0, delayed: 0 });
  });

  it('takes an id again once its job is done or has failed', async () => {
    const { queues, consume } = fixture();
    const log = jobLog(({ id }) =>
      id === 'sig_bad' ? { outcome: 'failed', reason: 'not_a_pdf' } : { outcome: 'done' },
    );
    await consume(log);
    for (const expected of [2, 4]) {
      await queues.enqueue(kind, ['sig_good', 'sig_bad']);
      await until(() => log.started.length === expected);
      await until(async () => (await queues.counts(kind)).active === 0);
    }
    expect(log.started.toSorted()).toEqual(['sig_bad#1', 'sig_bad#1', 'sig_good#1', 'sig_good#1']);
    expect(log.errors).toEqual([]);
  });

  it('holds a delayed job back until it is due', async () => {
    const { queues, consume } = fixture();
    const log = jobLog();
    await consume(log);
    await queues.enqueue(kind, ['sig_later'], { delayMs: 1_000 });
    await queues.enqueue(kind, ['sig_much_later'], { delayMs: 3_600_000 });
    expect(await queues.counts(kind)).toEqual({ waiting: 0, active: 0, delayed: 2 });
    await queues.enqueue(kind, ['sig_now']);
    await until(() => log.started.length === 2);
    expect(log.started).toEqual(['sig_now#1', 'sig_later#1']);
  });

  it('enqueues and runs 10,000 jobs, each once', async () => {
    const { queues, consume } = fixture();
    const log = jobLog();
    await queues.enqueue(kind, ids(10_000));
    expect(await queues.counts(kind)).toEqual({ waiting: 10_000, active: 0, delayed: 0 });
    await consume(log, 16);
    await until(() => log.started.length >= 10_000);
    await until(async () => (await queues.counts(kind)).active === 0);
    expect(new Set(log.started).size).toBe(10_000);
    expect(log.started.length).toBe(10_000);
  });

  it('refuses an unusable id and enqueues nothing', async () => {
    const { queues } = fixture();
    for (const bad of ['', '17', 'a:b', '-x', 'x'.repeat(200)]) {
      await expect(queues.enqueue(kind, ['sig_1', bad])).rejects.toMatchObject({
        code: 'id_invalid',
      });
    }
    await queues.enqueue(kind, []);
    expect(await queues.counts(kind)).toEqual({ waiting: 0, active: 0, delayed: 0 });
  });
}

function outcomeConformance(fixture: () => QueueFixture): void {
  it('runs a job again that asks for a retry', async () => {
    const { queues, consume } = fixture();
    const log = jobLog(({ attempt }) =>
      attempt < 4
        ? { outcome: 'retry', retryInMs: 50 * (attempt - 1), reason: 's3_down' }
        : { outcome: 'done' },
    );
    await consume(log);
    await queues.enqueue(kind, ['sig_1']);
    await until(() => log.started.length === 4);
    await until(async () => (await queues.counts(kind)).active === 0);
    expect(log.started).toEqual(['sig_1#1', 'sig_1#2', 'sig_1#3', 'sig_1#4']);
    expect(await queues.counts(kind)).toEqual({ waiting: 0, active: 0, delayed: 0 });
    expect(log.errors).toEqual([]);
  });

  it('holds other jobs up by no retry', async () => {
    const { queues, consume } = fixture();
    const log = jobLog(({ id }) =>
      id === 'sig_1'
        ? { outcome: 'retry', retryInMs: 3_600_000, reason: 's3_down' }
        : { outcome: 'done' },
    );
    await consume(log, 1);
    await queues.enqueue(kind, ['sig_1', 'sig_2', 'sig_3']);
    await until(() => log.started.length === 3);
    await until(async () => (await queues.counts(kind)).active === 0);
    expect(await queues.counts(kind)).toEqual({ waiting: 0, active: 0, delayed: 1 });
  });

  it('reports a processor that throws and runs the job again', async () => {
    const { queues, consume } = fixture();
    const cause = new Error('database gone');
    const log = jobLog(({ attempt }) => {
      if (attempt === 1) throw cause;
      return { outcome: 'done' };
    });
    await consume(log);
    await queues.enqueue(kind, ['sig_1']);
    await until(() => log.started.length === 2);
    expect(log.errors).toMatchObject([
      { code: 'process_failed', cause, details: { id: 'sig_1', attempt: 1 } },
    ]);
  });

  it('finishes the jobs in hand when closing, and takes no new one', async () => {
    const { queues, consume } = fixture();
    const finish = gate();
    const log = jobLog(() => finish.opened.then(() => ({ outcome: 'done' })));
    const consumer = await consume(log, 2);
    await queues.enqueue(kind, ids(3));
    await until(() => consumer.active() === 2);
    const closing = consumer.close();
    await queues.enqueue(kind, ['sig_late']);
    finish.open();
    await closing;
    await consumer.close();
    expect(log.started).toEqual(['sig_0#1', 'sig_1#1']);
    expect(log.errors).toEqual([]);
    expect(await queues.counts(kind)).toEqual({ waiting: 2, active: 0, delayed: 0 });
  });

  it('aborts the jobs in hand on request', async () => {
    const { queues, consume } = fixture();
    const log = jobLog(
      ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () =>
            resolve({ outcome: 'retry', retryInMs: 3_600_000, reason: String(signal.reason) }),
          );
        }),
    );
    const consumer = await consume(log, 2);
    await queues.enqueue(kind, ids(2));
    await until(() => consumer.active() === 2);
    consumer.abort('shutdown');
    await consumer.close();
    expect(await queues.counts(kind)).toEqual({ waiting: 0, active: 0, delayed: 2 });
  });

  it('refuses to work once closed', async () => {
    const { queues } = fixture();
    await queues.close();
    await queues.close();
    await expect(queues.enqueue(kind, ['sig_1'])).rejects.toMatchObject({ code: 'closed' });
    await expect(queues.counts(kind)).rejects.toMatchObject({ code: 'closed' });
    await expect(queues.ping()).rejects.toMatchObject({ code: 'closed' });
  });
}

/** Runs every promise of `Queues` and `consume` against a real server of one kind. */
export function queueConformance(name: string, startServer: () => Promise<QueueServer>): void {
  describe(`queue conformance on ${name}`, () => {
    let server: QueueServer;
    let current: QueueFixture;
    const fixture = (): QueueFixture => current;
    beforeAll(async () => {
      server = await startServer();
    });
    afterAll(() => server.remove());
    beforeEach(async () => {
      const prefix = `test-${randomUUID()}`;
      const resources = new ResourceStack();
      const queues = resources.use('queues', await openQueues({ url: server.url, prefix }), (q) =>
        q.close(),
      );
      current = {
        server,
        prefix,
        queues,
        resources,
        consume: async (log, concurrency = 4) =>
          resources.use(
            'consumer',
            await consume({ ...log, url: server.url, prefix, kind, concurrency, lockMs: 1_000 }),
            (consumer) => consumer.close(),
          ),
      };
    });
    afterEach(() => current.resources.close());
    describe('enqueue', () => enqueueConformance(fixture));
    describe('outcomes', () => outcomeConformance(fixture));
    describe('outages', () => outageConformance(fixture));
  });
}
