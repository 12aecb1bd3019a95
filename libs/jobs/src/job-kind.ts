import { z } from 'zod';
import { JobsError } from './error.ts';

/** Every kind of job, in no particular order. The names are stable: they are queue names. */
export const jobKinds = ['sign-document', 'enrol-key', 'deliver-webhook'] as const;

/** What a job does; each kind has a queue of its own, so a slow kind never delays another. */
export type JobKind = (typeof jobKinds)[number];

/**
 * A queue carries ids only: whoever reads the queue learns nothing about documents, keys or
 * receivers, and whoever writes to it can only cause a look at a database row.
 */
const jobPayload = z.strictObject({ id: z.string() });

export type JobPayload = z.infer<typeof jobPayload>;

/** BullMQ reserves integers and `:` in job ids; row ids are `sig_0198f…` and so on. */
const jobId = /^[A-Za-z][A-Za-z0-9_-]{0,127}$/;

/** Returns `id` if it can be a job id, else throws {@link JobsError} `id_invalid`. */
export function parseJobId(id: string): string {
  if (jobId.test(id)) return id;
  throw new JobsError('id_invalid', 'a job id starts with a letter and has no ":"', {
    details: { length: id.length },
  });
}

/** The row id of a job taken from a queue. Throws {@link JobsError} `payload_invalid`. */
export function parseJobPayload(payload: unknown, id: string | undefined): string {
  const parsed = jobPayload.safeParse(payload);
  if (parsed.success && parsed.data.id === id && jobId.test(id)) return id;
  throw new JobsError('payload_invalid', 'a job in the queue carries something other than its id');
}
