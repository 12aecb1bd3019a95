import { WorkerError } from './error.ts';

/**
 * Gives work on a row up after `seconds`, so that something that never answers, an HSM mostly, holds
 * back neither the row nor the job that wakes others up for it. What was begun cannot be stopped: it
 * must ask its lease before each effect.
 *
 * @throws WorkerError `timed_out`, and what `work` throws in time.
 */
export async function withinDeadline<T>(seconds: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new WorkerError('timed_out', 'the work did not end in time'));
    }, seconds * 1_000);
  });
  try {
    return await Promise.race([work(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
