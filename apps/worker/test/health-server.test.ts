import { afterEach, expect, it } from 'vitest';
import { Dependencies } from '../src/dependency.ts';
import { WorkerError } from '../src/error.ts';
import { startHealthServer, type HealthServer } from '../src/health-server.ts';
import { createMetrics } from '../src/metrics.ts';

let server: HealthServer | undefined;
afterEach(async () => {
  await server?.close();
});

async function start(): Promise<{ dependencies: Dependencies; base: string }> {
  const metrics = createMetrics();
  const dependencies = new Dependencies(metrics);
  server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    registry: metrics.registry,
    readiness: () => dependencies.states(),
  });
  return { dependencies, base: `http://127.0.0.1:${server.port}` };
}

it('is not ready before, and ready after, each dependency has opened and answers', async () => {
  const { dependencies, base } = await start();
  dependencies.expect('database');
  dependencies.expect('hsm');
  dependencies.opened('database', () => Promise.resolve());
  dependencies.notOpened('hsm', new WorkerError('stopping', 'x'));

  const before = await fetch(`${base}/readyz`);
  expect(before.status).toBe(503);
  expect(await before.json()).toEqual({
    status: 'not_ready',
    dependencies: { database: { up: true }, hsm: { up: false, reason: 'stopping' } },
  });

  let hsmAnswers = true;
  dependencies.opened('hsm', () =>
    hsmAnswers ? Promise.resolve() : Promise.reject(new Error('away')),
  );
  expect((await fetch(`${base}/readyz`)).status).toBe(200);
  expect(await (await fetch(`${base}/metrics`)).text()).toContain(
    'signfleet_dependency_up{dependency="hsm"} 1',
  );
  hsmAnswers = false;
  expect((await fetch(`${base}/readyz`)).status).toBe(503);
  expect(await (await fetch(`${base}/metrics`)).text()).toContain(
    'signfleet_dependency_up{dependency="hsm"} 0',
  );
});

it('says that the process lives whatever its dependencies do, and knows no other page', async () => {
  const { dependencies, base } = await start();
  dependencies.expect('queue');
  expect((await fetch(`${base}/healthz`)).status).toBe(200);
  expect((await fetch(`${base}/`)).status).toBe(404);
});
