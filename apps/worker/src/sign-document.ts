import {
  claimSigning,
  completeSigning,
  extendSigningLease,
  type ClaimedSigning,
  type Database,
} from '@signfleet/db';
import type { SigningToken } from '@signfleet/hsm';
import type { JobOutcome } from '@signfleet/jobs';
import {
  digestDocument,
  prepareSignature,
  sealDocument,
  type SealedDocument,
} from '@signfleet/pdf';
import { algorithmFacts, signedAttributes, signedData, signedDataSizeLimit } from '@signfleet/pki';
import type { ObjectStore } from '@signfleet/storage';
import { withinDeadline } from './deadline.ts';
import { WorkerError } from './error.ts';
import { holdLease, type Lease } from './lease.ts';
import { loadSource, type LoadedSource } from './load-source.ts';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';
import { findPublished, publish, type PublishedObject } from './publish.ts';
import type { RetryLimits } from './retry.ts';
import { assertSound, isOurSignature } from './self-check.ts';
import { settleSigning } from './settle-signing.ts';
import { signWithUnwrappedKey } from './sign-with-unwrapped-key.ts';
import { StageClock } from './stage-clock.ts';
import { afterRefusal } from './refusal.ts';
import { usableKey, type UsableKey } from './usable-key.ts';

/** What signing needs; all of it is shared by the documents in hand. */
export interface SigningContext {
  readonly database: Database;
  readonly store: ObjectStore;
  readonly token: SigningToken;
  /** Wakes up the webhook deliveries that a transition has written. Never throws. */
  readonly announce: (deliveryIds: readonly string[]) => Promise<void>;
  readonly workerId: string;
  readonly leaseSeconds: number;
  readonly maxDocumentBytes: number;
  readonly limits: RetryLimits & {
    /** Seconds for one attempt at one document. */
    readonly timeoutSeconds: number;
  };
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** One document on its way. */
interface Work extends SigningContext {
  readonly claimed: ClaimedSigning;
  readonly lease: Lease;
  readonly clock: StageClock;
}

/** Signs the document of one row, once, whatever the queue repeats; see docs/architecture.md. */
export async function signDocument(context: SigningContext, id: string): Promise<JobOutcome> {
  const { database, workerId, leaseSeconds } = context;
  const log = context.log.child({ signingId: id });
  const since = performance.now();
  const claimed = await claimSigning(database, { id, workerId, leaseSeconds });
  if ('refused' in claimed) {
    log.debug({ refused: claimed.refused }, 'signing not claimed');
    return afterRefusal(claimed);
  }
  const { fencingToken } = claimed;
  const extend = () => extendSigningLease(database, { id, fencingToken, leaseSeconds });
  const lease = holdLease({ leaseSeconds, since, extend, log });
  const work: Work = { ...context, log, claimed, lease, clock: new StageClock() };
  try {
    return await withinDeadline(context.limits.timeoutSeconds, () => signClaimed(work));
  } catch (error) {
    lease.end();
    const { attempts, startedAt, createdAt } = claimed.signing;
    return await settleSigning(
      {
        ...work,
        claim: { id, fencingToken, attempts, startedAt: startedAt ?? createdAt },
        stageMillis: work.clock.millis(),
      },
      error,
    );
  } finally {
    lease.end();
  }
}

async function signClaimed(work: Work): Promise<JobOutcome> {
  const { claimed, clock, limits } = work;
  if (claimed.signing.attempts > limits.maxAttempts) {
    throw new WorkerError('attempts_exhausted', 'too many attempts have ended without a word');
  }
  const key = usableKey(claimed, new Date());
  const source = await clock.measure('load', () => loadClaimed(work));
  const earlier = claimed.signing.attempts > 1 ? await findEarlier(work, key, source) : undefined;
  const published = earlier ?? (await signAndPublish(work, key, source));
  return await complete(work, key, published);
}

async function signAndPublish(
  work: Work,
  key: UsableKey,
  source: LoadedSource,
): Promise<PublishedObject> {
  const { clock, lease, store, claimed } = work;
  const sealed = await sealSource(work, key, source);
  await clock.measure('verify', () => assertSound(sealed, key));
  lease.assertHeld();
  return await clock.measure('store', async () => {
    const sha256 = source.hash.copy();
    for (const chunk of sealed.chunks.slice(1)) sha256.update(chunk);
    const document = {
      signingId: claimed.signing.id,
      chunks: [...sealed.chunks],
      sha256: sha256.digest('hex'),
    };
    const published =
      (await publish(store, destinationOf(work), document)) ??
      (await findEarlier(work, key, source));
    if (published === undefined) {
      throw new WorkerError('destination_exists', 'another object is at the destination');
    }
    return published;
  });
}

/** Everything between the source and the sealed document; the key is out only for one signature. */
async function sealSource(
  work: Work,
  key: UsableKey,
  source: LoadedSource,
): Promise<SealedDocument> {
  const { clock } = work;
  const { reason, location, contactInfo, fieldName } = work.claimed.signing;
  const { certificateChain, record } = key;
  const { algorithm } = record;
  const digested = await clock.measure('prepare', () => {
    const prepared = prepareSignature(source.bytes, {
      signingTime: new Date(),
      contentsBytes: signedDataSizeLimit({ certificateChain, algorithm }),
      reason: reason ?? undefined,
      location: location ?? undefined,
      contactInfo: contactInfo ?? undefined,
      fieldName: fieldName ?? undefined,
    });
    return digestDocument(prepared, algorithmFacts[algorithm].digest);
  });
  const attributes = signedAttributes({
    messageDigest: digested.messageDigest,
    signingCertificate: certificateChain[0],
    algorithm,
  });
  const { lease } = work;
  const bracket = { record, message: attributes, clock, lease };
  const signature = await signWithUnwrappedKey(work.token, bracket);
  return await clock.measure('seal', () =>
    sealDocument(
      digested,
      signedData({ signedAttributes: attributes, signature, certificateChain, algorithm }),
    ),
  );
}

function loadClaimed(work: Work): Promise<LoadedSource> {
  const { sourceBucket, sourceKey, sourceVersionId, sourceSha256 } = work.claimed.signing;
  return loadSource(
    work.store,
    {
      bucket: sourceBucket,
      key: sourceKey,
      versionId: sourceVersionId ?? undefined,
      sha256: sourceSha256 ?? undefined,
    },
    work.maxDocumentBytes,
  );
}

function destinationOf(work: Work): { readonly bucket: string; readonly key: string } {
  const { destinationBucket, destinationKey } = work.claimed.signing;
  return { bucket: destinationBucket, key: destinationKey };
}

/** An attempt that ended between its PUT and its completion has left the result behind. */
async function findEarlier(
  work: Work,
  key: UsableKey,
  source: LoadedSource,
): Promise<PublishedObject | undefined> {
  const earlier = await findPublished(work.store, destinationOf(work), {
    signingId: work.claimed.signing.id,
    maxBytes: work.maxDocumentBytes + MOST_BYTES_ADDED,
    verify: (bytes) => isOurSignature(bytes, { source: source.bytes, key }),
  });
  if (earlier !== undefined) work.log.info('adopted the result of an earlier attempt');
  return earlier;
}

/** A signature adds a few objects and the CMS; far less than this. */
const MOST_BYTES_ADDED = 16 * 1024 * 1024;

async function complete(
  work: Work,
  key: UsableKey,
  published: PublishedObject,
): Promise<JobOutcome> {
  const { clock, claimed, log, metrics } = work;
  const { signing, fencingToken } = claimed;
  const { sha256, size, etag, versionId } = published;
  const stageMillis = clock.millis();
  const finished = await clock.measure('complete', () =>
    completeSigning(work.database, {
      id: signing.id,
      fencingToken,
      result: {
        sha256,
        size,
        level: 'B-B',
        certificateId: key.certificateId,
        stageMillis,
        ...(etag === undefined ? {} : { etag }),
        ...(versionId === undefined ? {} : { versionId }),
      },
    }),
  );
  if (finished.outcome === 'fenced') throw new WorkerError('fenced', 'completed too late');
  for (const [stage, millis] of clock.entries()) metrics.stage(stage, millis);
  metrics.signing('completed', 'ok');
  log.info({ attempt: signing.attempts, stageMillis: clock.millis() }, 'signing completed');
  await work.announce(finished.deliveryIds);
  return { outcome: 'done' };
}
