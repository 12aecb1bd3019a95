import { setTimeout as delay } from 'node:timers/promises';
import pMap from 'p-map';
import type { ApiClient } from '../api-client.ts';
import type { SourceDocument } from '../collect-documents.ts';
import { acceptedBatchSchema, signingSchema, type Signing } from '../resources.ts';
import { upload } from '../transfer.ts';
import { watchBatch } from '../watch-batch.ts';
import { collectAll } from '../list-all.ts';
import type { Progress } from './progress.ts';
import type { DemoSigner } from './signers.ts';
import type { ReceivedEvent } from './webhook-receiver.ts';

/** One document to be signed by one person. */
export interface Assignment {
  readonly document: SourceDocument;
  readonly signer: DemoSigner;
}

/** What became of an assignment: the signing in its final state, or why it was not accepted. */
export type Settled = Assignment &
  ({ readonly signing: Signing } | { readonly problem: string; readonly signing?: undefined });

/**
 * Documents go round the signers; with fewer documents than signers, everybody signs each, so that
 * one file shows all three keys.
 */
export function assign(
  documents: readonly SourceDocument[],
  signers: readonly DemoSigner[],
): Assignment[] {
  if (documents.length < signers.length) {
    return documents.flatMap((document) => signers.map((signer) => ({ document, signer })));
  }
  return documents.flatMap((document, index) => {
    const signer = signers[index % signers.length];
    return signer === undefined ? [] : [{ document, signer }];
  });
}

/** Uploads, submits one batch, and waits until each signing is final. */
export async function signBatch(
  api: ApiClient,
  assignments: readonly Assignment[],
  progress: Progress,
): Promise<Settled[]> {
  const items = await pMap(
    assignments,
    async ({ document, signer }) => {
      const { bucket, key } = await upload(api, document.path);
      progress.advance('upload');
      return {
        userId: signer.userId,
        source: { bucket, key },
        reason: 'signfleet demo',
        metadata: { fileName: document.name },
      };
    },
    { concurrency: 8 },
  );
  const batch = await api.call({
    method: 'POST',
    path: '/v1/batches',
    body: { items },
    schema: acceptedBatchSchema,
  });
  progress.advance('sign', batch.rejected);
  let shown = 0;
  await watchBatch(api, batch.id, (finished) => {
    progress.advance('sign', finished - shown);
    shown = finished;
  });
  const query = { batchId: batch.id };
  const signings = await collectAll(api, { path: '/v1/signings', query, item: signingSchema });
  const byId = new Map(signings.map((signing) => [signing.id, signing]));
  return assignments.map((assignment, index) => {
    const item = batch.items.find((one) => one.index === index);
    const signing = byId.get(item?.signingId ?? '');
    if (signing !== undefined) return { ...assignment, signing };
    return { ...assignment, problem: item?.problem?.detail ?? 'not accepted' };
  });
}

const webhookPatienceMillis = 30_000;

/** Waits until an event has come for each signing; `false` when some are still missing in the end. */
export async function allEventsReceived(
  settled: readonly Settled[],
  received: ReadonlyMap<string, ReceivedEvent>,
  progress: Progress,
): Promise<boolean> {
  const wanted = settled.map((one) => one.signing?.id);
  const deadline = Date.now() + webhookPatienceMillis;
  for (let shown = 0; ;) {
    const arrived = wanted.filter((id) => id === undefined || received.has(id)).length;
    progress.advance('webhooks', arrived - shown);
    shown = arrived;
    if (arrived === wanted.length) return true;
    if (Date.now() > deadline) return false;
    await delay(50);
  }
}
