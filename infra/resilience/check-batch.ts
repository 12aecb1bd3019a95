import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Signing } from '@signfleet/db';
import { verifyDocument } from '@signfleet/pdf';
import { verifyWebhook } from '@signfleet/webhooks';
import type { Stage, SubmittedBatch } from './documents.ts';

type Check = readonly [what: string, holds: boolean];

/** Waits for the batch to end and looks at everything that it has left behind. */
export async function checkBatch(
  stage: Stage,
  batch: SubmittedBatch,
  o: { readonly documents: number; readonly timeoutMs: number },
): Promise<Check[]> {
  const { prisma } = stage.fleet.database;
  const { batchId, ids } = batch;
  const end = Date.now() + o.timeoutMs;
  while (Date.now() < end && (await remaining(stage, batchId)) > 0) await sleep(100);
  const row = await prisma.batch.findUniqueOrThrow({ where: { id: batchId } });
  const signings = await prisma.signing.findMany({ where: { batchId } });
  const events = await prisma.event.findMany({ where: { subject: { in: [...ids, batchId] } } });
  const subjects = new Set(events.map(({ subject }) => subject));
  const attempts = Math.max(...signings.map((signing) => signing.attempts));
  return [
    [
      `${row.completed} of ${o.documents} completed, ${row.failed} failed, at most ${attempts} attempts`,
      row.completed === o.documents && row.failed === 0 && signings.length === o.documents,
    ],
    [
      `${events.length} events: one for each signing and one for the batch`,
      events.length === o.documents + 1 && subjects.size === events.length,
    ],
    await checkObjects(stage, signings),
    await checkWebhooks(stage, new Set(events.map(({ id }) => id)), end),
  ];
}

async function remaining({ fleet }: Stage, id: string): Promise<number> {
  const row = await fleet.database.prisma.batch.findUniqueOrThrow({ where: { id } });
  return row.remaining;
}

/** In a bucket that keeps versions, the recorded version being the current one means one write. */
async function checkObjects({ fleet }: Stage, signings: readonly Signing[]): Promise<Check> {
  let sound = 0;
  for (const signing of signings) {
    const { destinationBucket: bucket, destinationKey: key, id } = signing;
    const object = await fleet.store.get({ bucket, key });
    const reports = verifyDocument(object.bytes);
    const isSound =
      object.metadata['signfleet-signing-id'] === id &&
      object.versionId === (signing.resultVersionId ?? undefined) &&
      createHash('sha256').update(object.bytes).digest('hex') === signing.resultSha256 &&
      reports.length === 1 &&
      reports.every((report) => report.valid && report.coversWholeFile);
    if (isSound) sound += 1;
  }
  return [
    `${sound} objects: written once, with the recorded hash, one valid signature each`,
    sound === signings.length,
  ];
}

async function checkWebhooks(
  { receiver }: Stage,
  eventIds: ReadonlySet<string>,
  end: number,
): Promise<Check> {
  const delivered = new Set<string>();
  let repeated = 0;
  let looked = 0;
  while (delivered.size < eventIds.size && Date.now() < end) {
    for (; looked < receiver.received.length; looked += 1) {
      const webhook = receiver.received[looked];
      if (webhook === undefined) break;
      const id = String(webhook.headers['webhook-id']);
      if (!eventIds.has(id)) continue;
      verifyWebhook({ ...webhook, secrets: [receiver.secret] });
      if (delivered.has(id)) repeated += 1;
      delivered.add(id);
    }
    await sleep(50);
  }
  return [
    `${delivered.size} of ${eventIds.size} events received with a good signature (${repeated} repeated)`,
    delivered.size === eventIds.size,
  ];
}
