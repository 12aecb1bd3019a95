import type { TestFleet } from '../../apps/worker/test/support/fleet.ts';
import { samplePdf } from '../../apps/worker/test/support/sample-pdf.ts';
import type { WebhookReceiver } from '../../apps/worker/test/support/webhook-receiver.ts';

/** Where a scenario plays. */
export interface Stage {
  readonly fleet: TestFleet;
  readonly keyIds: readonly string[];
  readonly receiver: WebhookReceiver;
}

export interface SubmittedBatch {
  readonly batchId: string;
  readonly ids: readonly string[];
}

/** Uploads documents of ~100 KB and submits them as one batch, the keys in turn. */
export async function submitDocuments(
  { fleet, keyIds }: Stage,
  o: { readonly name: string; readonly documents: number },
): Promise<SubmittedBatch> {
  const items = Array.from({ length: o.documents }, (_, index) => ({
    keyId: keyIds[index % keyIds.length] ?? '',
    source: `${o.name}/${index}.pdf`,
  }));
  for (const { source } of items) await fleet.putSource(source, samplePdf(source, 100_000));
  return fleet.submitBatch(items);
}

/** How many documents of the batch are signed. */
export function completedOf({ fleet }: Stage, { batchId }: SubmittedBatch): Promise<number> {
  return fleet.database.prisma.signing.count({ where: { batchId, state: 'completed' } });
}
