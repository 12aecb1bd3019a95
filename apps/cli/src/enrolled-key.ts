import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { keySchema, type Key } from './resources.ts';

/** Waits until the worker has enrolled the key (or given up on it). */
export async function enrolledKey(api: ApiClient, id: string): Promise<Key> {
  for (;;) {
    const key = await api.call({ path: `/v1/keys/${encodeURIComponent(id)}`, schema: keySchema });
    if (key.state !== 'pending') return key;
    await delay(200);
  }
}
