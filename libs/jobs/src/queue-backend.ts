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
  /** Establishing one connection, and taking leave of it. */
  connect: 3_000,
  /** Opening, and one enqueue, count or ping, reconnecting included. */
  request: 5_000,
  /** One command; after that its connection counts as dead. */
  command: { producer: 5_000, consumer: 15_000 },
} as const;
