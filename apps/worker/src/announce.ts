import type { WorkerContext } from './worker.ts';

/**
 * Wakes up webhook deliveries that are in the database already. If the queue can't take them, the
 * reconciler will: a completion never fails for the sake of its announcement.
 */
export function announcer(
  context: Pick<WorkerContext, 'queues' | 'log'>,
): (deliveryIds: readonly string[]) => Promise<void> {
  return async (deliveryIds) => {
    if (deliveryIds.length === 0) return;
    try {
      await context.queues.enqueue('deliver-webhook', deliveryIds);
    } catch (error) {
      context.log.warn({ deliveries: deliveryIds.length, err: error }, 'deliveries not enqueued');
    }
  };
}
