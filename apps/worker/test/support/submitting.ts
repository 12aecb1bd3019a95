import { setTimeout as sleep } from 'node:timers/promises';
import {
  createBatch,
  createKey,
  createSigning,
  createUser,
  type Database,
  type Signing,
} from '@signfleet/db';
import type { Queues } from '@signfleet/jobs';
import type { KeyAlgorithm } from '@signfleet/pki';
import type { ObjectStore } from '@signfleet/storage';

export const SOURCE_BUCKET = 'source';
export const RESULT_BUCKET = 'signed';

/** What a test may vary when it submits. */
export interface Submitted {
  readonly keyId: string;
  readonly source: string;
  readonly destination?: string;
  readonly sha256?: string;
  readonly versionId?: string;
  readonly reason?: string;
  readonly fieldName?: string;
}

/** What a caller can do. */
export interface Submitting {
  orderKey(algorithm: KeyAlgorithm, mode?: 'builtin' | 'csr'): Promise<string>;
  putSource(key: string, bytes: Uint8Array): Promise<void>;
  submit(item: Submitted): Promise<string>;
  /** Submits, runs `before`, and only then wakes a worker up. */
  submitThen(item: Submitted, before: () => Promise<unknown>): Promise<Signing>;
  submitBatch(items: readonly Submitted[]): Promise<{ batchId: string; ids: string[] }>;
  /** The row, once it is final. */
  finished(id: string, timeoutMs?: number): Promise<Signing>;
  result(signing: Signing): Promise<Uint8Array>;
}

/** What the API would do for a caller. */
export function submitting(o: {
  readonly database: Database;
  readonly queues: Queues;
  readonly store: ObjectStore;
  readonly owner: { readonly tenantId: string; readonly apiKeyId: string };
}): Submitting {
  const { database, queues, store, owner } = o;
  const actor = `api_key:${owner.apiKeyId}`;
  const finished: Submitting['finished'] = async (id, timeoutMs = 30_000) => {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const row = await database.prisma.signing.findUniqueOrThrow({ where: { id } });
      if (row.finishedAt !== null) return row;
      if (Date.now() > end) {
        throw new Error(`${id} is still ${row.state}, ${row.errorCode ?? 'without an error'}`);
      }
      await sleep(50);
    }
  };
  return {
    orderKey: async (algorithm, certificateMode = 'builtin') => {
      const { tenantId } = owner;
      const user = { name: `Tester ${algorithm}`, organization: 'signfleet tests', country: 'SE' };
      const { resource } = await createUser(database, { tenantId, actor, user });
      const key = { tenantId, actor, userId: resource.id, algorithm, certificateMode };
      const created = await createKey(database, key);
      await queues.enqueue('enrol-key', [created.resource.id]);
      return created.resource.id;
    },
    putSource: async (key, bytes) => {
      await store.put({
        bucket: SOURCE_BUCKET,
        key,
        body: bytes,
        contentType: 'application/pdf',
        metadata: {},
      });
    },
    submit: async (item) => {
      const { resource } = await createSigning(database, { ...owner, request: requestOf(item) });
      await queues.enqueue('sign-document', [resource.id]);
      return resource.id;
    },
    submitThen: async (item, before) => {
      const { resource } = await createSigning(database, { ...owner, request: requestOf(item) });
      await before();
      await queues.enqueue('sign-document', [resource.id]);
      return finished(resource.id);
    },
    submitBatch: async (items) => {
      const { resource } = await createBatch(database, {
        ...owner,
        items: items.map((item, index) => ({ index, request: requestOf(item) })),
      });
      const ids = resource.items.map(({ id }) => id);
      await queues.enqueue('sign-document', ids);
      return { batchId: resource.batch.id, ids };
    },
    finished,
    result: async ({ destinationBucket: bucket, destinationKey: key }) =>
      (await store.get({ bucket, key })).bytes,
  };
}

function requestOf({ keyId, source, destination, ...rest }: Submitted) {
  const { sha256, versionId, reason, fieldName } = rest;
  return {
    keyId,
    source: {
      bucket: SOURCE_BUCKET,
      key: source,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(versionId === undefined ? {} : { versionId }),
    },
    destination: { bucket: RESULT_BUCKET, key: destination ?? source },
    ...(reason === undefined ? {} : { reason }),
    ...(fieldName === undefined ? {} : { fieldName }),
  };
}
