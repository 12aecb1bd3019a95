import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '@signfleet/errors';
import type { DependencyState } from './health-server.ts';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 10_000;
const CHECK_TIMEOUT_MS = 3_000;

/**
 * The named services that a worker needs. A name is down from `expect` until its check passes, so
 * that a worker which is still waiting for its HSM says so instead of looking complete.
 */
export class Dependencies {
  readonly #checks = new Map<string, (() => Promise<void>) | undefined>();
  readonly #reasons = new Map<string, string>();
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Announces a dependency that is not open yet. */
  expect(name: string): void {
    this.#checks.set(name, undefined);
    this.#metrics.dependency(name, false);
  }

  /** From now on `check` tells whether `name` is up: it resolves, or throws the reason. */
  opened(name: string, check: () => Promise<void>): void {
    this.#checks.set(name, check);
    this.#reasons.delete(name);
  }

  notOpened(name: string, error: unknown): void {
    this.#reasons.set(name, reasonOf(error));
  }

  /** Checks everything at once, each within three seconds. */
  async states(): Promise<Record<string, DependencyState>> {
    const entries = await Promise.all(
      [...this.#checks].map(async ([name, check]): Promise<[string, DependencyState]> => {
        const state = await this.#state(name, check);
        this.#metrics.dependency(name, state.up);
        return [name, state];
      }),
    );
    return Object.fromEntries(entries);
  }

  async #state(name: string, check: (() => Promise<void>) | undefined): Promise<DependencyState> {
    if (check === undefined) return { up: false, reason: this.#reasons.get(name) ?? 'opening' };
    const timeout = new AbortController();
    try {
      const late = sleep(CHECK_TIMEOUT_MS, 'late', { signal: timeout.signal });
      late.catch(() => undefined); // aborted below as soon as the check has answered
      const answer = await Promise.race([check(), late]);
      return answer === 'late' ? { up: false, reason: 'no_answer' } : { up: true };
    } catch (error) {
      return { up: false, reason: reasonOf(error) };
    } finally {
      timeout.abort();
    }
  }
}

/**
 * Opens something whose other end may not be there yet: tries again with growing delay until it
 * opens or `signal` aborts (then rejects with the signal's reason).
 *
 * `beforeRetry` is waited for when trying again at once would do harm.
 */
export async function openPersistently<T>(options: {
  readonly name: string;
  readonly open: () => Promise<T>;
  readonly signal: AbortSignal;
  readonly dependencies: Dependencies;
  readonly log: Logger;
  readonly beforeRetry?: (error: unknown) => Promise<void>;
}): Promise<T> {
  const { name, signal } = options;
  for (let delay = FIRST_DELAY_MS; ; delay = Math.min(delay * 2, LONGEST_DELAY_MS)) {
    signal.throwIfAborted();
    try {
      return await options.open();
    } catch (error) {
      options.dependencies.notOpened(name, error);
      options.log.warn({ dependency: name, err: error, retryInMs: delay }, 'dependency not open');
      await options.beforeRetry?.(error);
    }
    await sleep(delay, undefined, { signal });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof CodedError) return String(error.code);
  return error instanceof Error ? error.name : 'unknown';
}
