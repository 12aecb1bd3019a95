import { expect, it } from 'vitest';
import { consume, openQueues } from '../src/index.ts';
import type { QueueFixture } from './conformance.ts';
import { freezableProxy } from './freezable-proxy.ts';
import { gate, jobLog, until } from './job-log.ts';
import { spawnConsumer } from './spawn-consumer.ts';

const kind = 'sign-document';
const unavailable = { code: 'unavailable' };

/** What happens when processes, servers and networks fail. */
export function outageConformance(fixture: () => QueueFixture): void {
  it('runs a job again whose consumer was killed', async () => {
    const { server, prefix, queues, resources, consume } = fixture();
    const victim = spawnConsumer(server.url, prefix);
    resources.use('victim', victim, (child) => child.kill());
    await victim.printed('ready');
    await queues.enqueue(kind, ['sig_1']);
    await victim.printed('started sig_1');
    await victim.kill();
    const log = jobLog();
    await consume(log);
    await until(() => log.started.length === 1);
    expect(log.started).toEqual(['sig_1#2']);
  });

  it('tells a consumer that fell asleep that another one has its job', async () => {
    const { server, prefix, queues, resources, consume } = fixture();
    const sleeper = spawnConsumer(server.url, prefix);
    resources.use('sleeper', sleeper, (child) => child.kill());
    await sleeper.printed('ready');
    await queues.enqueue(kind, ['sig_1']);
    await sleeper.printed('started sig_1');
    sleeper.signal('SIGSTOP');
    const log = jobLog();
    await consume(log);
    await until(() => log.started.length === 1);
    await until(async () => (await queues.counts(kind)).active === 0);
    sleeper.signal('SIGCONT');
    await sleeper.printed('aborted sig_1');
    expect(log.started).toEqual(['sig_1#2']);
  });

  it('outlasts a restart of the server', async () => {
    const { server, queues, consume } = fixture();
    let running = 0;
    const log = jobLog(async () => {
      running += 1;
      await until(() => running > 8);
      return { outcome: 'done' };
    });
    await consume(log, 4);
    const before = Array.from({ length: 20 }, (_, index) => `sig_before_${index}`);
    await queues.enqueue(kind, before);
    await until(() => running === 4);
    await server.stop();
    await expect(queues.enqueue(kind, ['sig_down'])).rejects.toMatchObject(unavailable);
    await expect(queues.enqueue(kind, ['sig_a', 'sig_b'])).rejects.toMatchObject(unavailable);
    await expect(queues.ping()).rejects.toMatchObject(unavailable);
    await expect(queues.counts(kind)).rejects.toMatchObject(unavailable);
    running = 9;
    await until(() => log.errors.length > 0);
    await server.start();
    await until(() =>
      queues.ping().then(
        () => true,
        () => false,
      ),
    );
    await queues.enqueue(kind, ['sig_after']);
    const all = [...before, 'sig_after'];
    await until(() => all.every((id) => log.started.some((entry) => entry.startsWith(`${id}#`))));
    await until(async () => {
      const { waiting, active } = await queues.counts(kind);
      return waiting + active === 0;
    });
    expect(log.errors.map(({ code }) => code)).toContain('unavailable');
  });

  it('does not hang on a network that hangs', async () => {
    const { server, prefix, resources } = fixture();
    const proxy = await freezableProxy(server.url);
    resources.use('proxy', proxy, (opened) => opened.close());
    const queues = await openQueues({ url: proxy.url, prefix });
    resources.use('proxied queues', queues, (opened) => opened.close());
    proxy.freeze();
    await Promise.all([
      expect(queues.enqueue(kind, ['sig_1'])).rejects.toMatchObject(unavailable),
      expect(queues.ping()).rejects.toMatchObject(unavailable),
      expect(openQueues({ url: proxy.url, prefix })).rejects.toMatchObject(unavailable),
      expect(
        consume({ ...jobLog(), url: proxy.url, prefix, kind, concurrency: 1 }),
      ).rejects.toMatchObject(unavailable),
    ]);
    proxy.thaw();
    await until(() =>
      queues.ping().then(
        () => true,
        () => false,
      ),
    );
    await queues.enqueue(kind, ['sig_2']);
  });

  it('closes while the network hangs, and its job runs elsewhere', async () => {
    const { server, prefix, queues, resources, consume: consumeHere } = fixture();
    const proxy = await freezableProxy(server.url);
    resources.use('proxy', proxy, (opened) => opened.close());
    const finish = gate();
    const cut = jobLog(() => finish.opened.then(() => ({ outcome: 'done' })));
    const consumer = await consume({
      ...cut,
      url: proxy.url,
      prefix,
      kind,
      concurrency: 1,
      lockMs: 1_000,
    });
    await queues.enqueue(kind, ['sig_1']);
    await until(() => cut.started.length === 1);
    proxy.freeze();
    finish.open();
    await consumer.close();
    const log = jobLog();
    await consumeHere(log);
    await until(() => log.started.length === 1);
    expect(log.started).toEqual(['sig_1#2']);
  });

  it('does not start without a server', async () => {
    const { prefix } = fixture();
    const url = new URL(fixture().server.url);
    url.port = '1';
    await expect(openQueues({ url: url.href, prefix })).rejects.toMatchObject(unavailable);
    await expect(
      consume({ ...jobLog(), url: url.href, prefix, kind, concurrency: 1 }),
    ).rejects.toMatchObject(unavailable);
  });
}
