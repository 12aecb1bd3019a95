import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Counts that are read from the stores when the metrics are scraped. */
export interface MetricSources {
  /** Jobs by kind and queue state. */
  readonly queueCounts: () => Promise<readonly { kind: string; state: string; count: number }[]>;
  /** Signings of all tenants by state. */
  readonly signingCounts: () => Promise<readonly { state: string; count: number }[]>;
}

/** A scrape asks the stores at most this often, in milliseconds. */
const refreshEvery = 5_000;

/** Prometheus metrics of one API process. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'signfleet_api_' });
  const failures = new Counter({
    name: 'signfleet_scrape_failures_total',
    help: 'Scrapes that could not read a store',
    labelNames: ['source'],
    registers: [registry],
  });
  const reading = (source: string, read: () => Promise<void>): (() => Promise<void>) => {
    let readAt = -Infinity;
    return async () => {
      if (Date.now() - readAt < refreshEvery) return;
      readAt = Date.now();
      try {
        await read();
      } catch {
        failures.inc({ source });
      }
    };
  };
  const jobs: Gauge = new Gauge({
    name: 'signfleet_queue_jobs',
    help: 'Jobs by kind and state',
    labelNames: ['kind', 'state'],
    registers: [registry],
    collect: reading('queue', async () => {
      for (const { kind, state, count } of await sources.queueCounts())
        jobs.set({ kind, state }, count);
    }),
  });
  const signings: Gauge = new Gauge({
    name: 'signfleet_signings',
    help: 'Signings by state',
    labelNames: ['state'],
    registers: [registry],
    collect: reading('database', async () => {
      for (const { state, count } of await sources.signingCounts()) signings.set({ state }, count);
    }),
  });
  return registry;
}

/** Observes how long each request took, by route pattern: never by path, which holds ids. */
export function registerRequestMetrics(app: FastifyInstance, registry: Registry): void {
  const durations = new Histogram({
    name: 'signfleet_http_request_duration_seconds',
    help: 'Duration of HTTP requests',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    durations.observe(labels, reply.elapsedTime / 1_000);
    done();
  });
}
