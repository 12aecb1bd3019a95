import type { BackendFactory } from 'bullmq';

/** Whether a connection enqueues (fail fast) or consumes (outlast an outage). */
export type BackendRole = 'producer' | 'consumer';

/** What a backend decision comes down to; `queues.ts` and `consumer.ts` know nothing else of it. */
export interface QueueBackend {
  /** Gives BullMQ its backend on the connections held here. */
  readonly createBackend: BackendFactory;
  /** Whether an error means "the server cannot be reached now", as opposed to "it said no". */
  isUnavailable(error: unknown): boolean;
  /** One round trip. */
  ping(): Promise<void>;
  /** Closes the connections. Commands in flight fail. */
  close(): Promise<void>;
}

/** How long each step may take, in milliseconds. */
export const deadlines = {
  /** Establishing one connection. */
  connect: 3_000,
  /** One enqueue, count or ping, reconnecting included. */
  request: 5_000,
  /** One command of a consumer; after that its connection counts as dead. */
  command: 15_000,
} as const;
