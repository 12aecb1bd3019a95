import { CliError } from '../error.ts';

/** Ctrl-C or SIGTERM, as promises; a second one ends the process at once. */
export interface Interruption {
  readonly happened: Promise<void>;
  /** Rejects on the first signal, so that waiting work can be raced against it. */
  readonly thrown: Promise<never>;
}

export function watchInterruption(): Interruption {
  let count = 0;
  let resolve: () => void = () => undefined;
  const happened = new Promise<void>((done) => {
    resolve = done;
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      count += 1;
      if (count > 1) process.exit(130);
      resolve();
    });
  }
  const thrown = happened.then(() => {
    throw new CliError('interrupted', 'interrupted');
  });
  thrown.catch(() => undefined); // nobody may be racing against it when the signal comes
  return { happened, thrown };
}
