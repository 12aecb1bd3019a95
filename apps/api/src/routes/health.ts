import { z } from 'zod';
import type { App, Dependencies } from '../app.ts';
import { withDeadline } from '../deadline.ts';
import { problems } from '../errors.ts';

/** A dependency that does not answer within this many milliseconds counts as down. */
const probeDeadline = 2_000;

const check = z.object({
  status: z.enum(['ok', 'error']),
  milliseconds: z.number(),
  code: z.string().optional(),
});

const readiness = z
  .object({ status: z.enum(['ok', 'error']), dependencies: z.record(z.string(), check) })
  .meta({ id: 'Readiness' });

/** `/healthz`: the process lives. `/readyz`: everything it needs answers. `/metrics`: Prometheus. */
export function healthRoutes(app: App, { probes, metrics }: Dependencies): void {
  const config = { access: 'public' } as const;
  app.get(
    '/healthz',
    {
      config,
      schema: { tags: ['operations'], response: { 200: z.object({ status: z.literal('ok') }) } },
    },
    () => ({ status: 'ok' as const }),
  );
  app.get(
    '/readyz',
    { config, schema: { tags: ['operations'], response: { 200: readiness, 503: readiness } } },
    async (request, reply) => {
      const entries = await Promise.all(
        Object.entries(probes).map(async ([name, probe]) => {
          const result = await runProbe(name, probe);
          if (result.failure !== undefined)
            request.log.warn({ err: result.failure, dependency: name }, 'not ready');
          return [name, result.check] as const;
        }),
      );
      const ok = entries.every(([, { status }]) => status === 'ok');
      if (!ok) reply.code(problems.database_unavailable.status);
      return { status: ok ? 'ok' : 'error', dependencies: Object.fromEntries(entries) } as const;
    },
  );
  app.get('/metrics', { config, schema: { hide: true } }, async (_request, reply) => {
    reply.header('content-type', metrics.contentType);
    return metrics.metrics();
  });
}

/** Asks one dependency for a sign of life; throws when there is none. */
export type Probe = () => Promise<unknown>;

async function runProbe(
  name: string,
  probe: Probe,
): Promise<{ check: z.output<typeof check>; failure?: unknown }> {
  const started = performance.now();
  const elapsed = (): number => Math.round((performance.now() - started) * 10) / 10;
  try {
    await withDeadline(probeDeadline, name, probe);
    return { check: { status: 'ok', milliseconds: elapsed() } };
  } catch (failure) {
    // Public: which dependency and what kind of failure, but no addresses or messages.
    const code = failure instanceof Error && 'code' in failure ? String(failure.code) : 'no_answer';
    return { check: { status: 'error', milliseconds: elapsed(), code }, failure };
  }
}
