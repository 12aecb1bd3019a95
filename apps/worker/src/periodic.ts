import { setTimeout as sleep } from 'node:timers/promises';

/** Something that runs again and again until it is closed. */
export interface Periodic {
  /** Waits for the run in hand, then stops. */
  close(): Promise<void>;
}

/**
 * Runs `work` now and then `intervalMs` after each run has ended, so that runs never overlap. The
 * pause is spread by ±20% to keep the workers of a fleet from running in step. A run that throws
 * goes to `onError` and the next one comes all the same.
 */
export function runPeriodically(options: {
  readonly intervalMs: number;
  readonly work: (signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown) => void;
}): Periodic {
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await options.work(stopping.signal);
      } catch (error) {
        options.onError(error);
      }
      const pause = options.intervalMs * (0.8 + Math.random() * 0.4);
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined); // woken by close
    }
  };
  const running = loop();
  return {
    close: async () => {
      stopping.abort();
      await running;
    },
  };
}
