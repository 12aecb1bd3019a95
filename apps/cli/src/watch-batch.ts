import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { batchSchema } from './resources.ts';

/** Waits until every signing of a batch has reached its final state, telling each change. */
export async function watchBatch(
  api: ApiClient,
  id: string,
  onProgress: (finished: number) => void = () => undefined,
): Promise<void> {
  for (;;) {
    const batch = await api.call({ path: `/v1/batches/${id}`, schema: batchSchema });
    onProgress(batch.total - batch.remaining);
    if (batch.remaining === 0) return;
    await delay(200);
  }
}
