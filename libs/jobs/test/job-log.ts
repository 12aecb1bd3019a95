import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, JobOutcome, JobsError } from '../src/index.ts';

/** Polls until `condition` holds; the test's own timeout bounds it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(10);
}

/** A processor and an error sink that remember what they got. */
export interface JobLog {
  readonly started: string[];
  readonly errors: JobsError[];
  readonly process: (job: Job) => Promise<JobOutcome>;
  readonly onError: (error: JobsError) => void;
}

/** `started` holds `id#attempt`; each job then does what `decide` says, by default it is done. */
export function jobLog(
  decide: (job: Job) => JobOutcome | Promise<JobOutcome> = () => ({ outcome: 'done' }),
): JobLog {
  const started: string[] = [];
  const errors: JobsError[] = [];
  return {
    started,
    errors,
    process: async (job) => {
      started.push(`${job.id}#${job.attempt}`);
      return await decide(job);
    },
    onError: (error) => errors.push(error),
  };
}

/** A promise that the test settles. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
