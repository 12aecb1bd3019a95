import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { z } from 'zod';
import type { ApiClient } from '../apps/cli/src/api-client.ts';
import { enrolledKey } from '../apps/cli/src/enrolled-key.ts';
import { collectAll } from '../apps/cli/src/list-all.ts';
import { acceptedBatchSchema, signingSchema, userSchema } from '../apps/cli/src/resources.ts';
import { upload } from '../apps/cli/src/transfer.ts';
import { watchBatch } from '../apps/cli/src/watch-batch.ts';
import { makeDocument } from './make-document.ts';

export interface PipelineOptions {
  readonly api: ApiClient;
  readonly algorithm: string;
  readonly documents: number;
  readonly bytes: number;
  /** For the generated document. */
  readonly folder: string;
}

/** What one worker reached on one batch. */
export interface PipelineResult {
  /** Documents over the time from the first claim to the last completion. */
  readonly documentsPerSecond: number;
  /** Mean milliseconds of one document by stage; stages of several documents overlap in time. */
  readonly stageMillis: Readonly<Record<string, number>>;
}

const timedSigning = signingSchema.extend({ startedAt: z.string().nullable() });
type TimedSigning = z.infer<typeof timedSigning>;

/** Has one user sign `documents` copies of a document in one batch, through API, queue and worker. */
export async function measurePipeline(options: PipelineOptions): Promise<PipelineResult> {
  const { api, algorithm, documents } = options;
  const userId = await enrolledUser(api, algorithm);
  const path = join(options.folder, `source-${options.bytes}.pdf`);
  await writeFile(path, makeDocument(options.bytes));
  const items = await pMap(
    Array.from({ length: documents }),
    async () => {
      const { bucket, key } = await upload(api, path);
      return { userId, source: { bucket, key } };
    },
    { concurrency: 8 },
  );
  const { id } = await api.call({
    method: 'POST',
    path: '/v1/batches',
    body: { items },
    schema: acceptedBatchSchema,
  });
  await watchBatch(api, id);
  const query = { batchId: id };
  const signings = await collectAll(api, { path: '/v1/signings', query, item: timedSigning });
  return summarize(signings, documents);
}

async function enrolledUser(api: ApiClient, algorithm: string): Promise<string> {
  const user = await api.call({
    method: 'POST',
    path: '/v1/users',
    body: { name: `Bench ${algorithm}` },
    schema: userSchema,
  });
  const key = await api.call({
    method: 'POST',
    path: '/v1/keys',
    body: { userId: user.id, algorithm },
    schema: z.object({ id: z.string() }),
  });
  await enrolledKey(api, key.id);
  return user.id;
}

function summarize(signings: readonly TimedSigning[], documents: number): PipelineResult {
  const completed = signings.filter((signing) => signing.state === 'completed');
  if (completed.length !== documents) {
    throw new Error(`${documents - completed.length} of ${documents} documents were not signed`);
  }
  const started = Math.min(...completed.map((signing) => Date.parse(signing.startedAt ?? '')));
  const finished = Math.max(...completed.map((signing) => Date.parse(signing.finishedAt ?? '')));
  const stageMillis: Record<string, number> = {};
  for (const signing of completed) {
    for (const [stage, millis] of Object.entries(signing.stageMillis ?? {})) {
      stageMillis[stage] = (stageMillis[stage] ?? 0) + millis / documents;
    }
  }
  return { documentsPerSecond: documents / ((finished - started) / 1000), stageMillis };
}
