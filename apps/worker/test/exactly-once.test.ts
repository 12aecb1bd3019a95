import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ResourceStack } from '@signfleet/errors';
import { HsmError, type SigningToken } from '@signfleet/hsm';
import { StorageError, type ObjectStore } from '@signfleet/storage';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { createLogger } from '../src/logging.ts';
import { createMetrics } from '../src/metrics.ts';
import { openConfiguredSigningToken } from '../src/open-tokens.ts';
import { signDocument, type SigningContext } from '../src/sign-document.ts';
import { startWorker } from '../src/worker.ts';
import { startTestFleet, type TestFleet } from './support/fleet.ts';
import { gate } from './support/gate.ts';
import { RESULT_BUCKET } from './support/submitting.ts';
import { keyEnrolled } from './support/key-enrolled.ts';
import { samplePdf } from './support/sample-pdf.ts';

const resources = new ResourceStack();
let fleet: TestFleet;
let token: SigningToken;
let keyId: string;
// Warnings are what these tests provoke.
const log = createLogger({ level: 'fatal', workerId: 'test' });

beforeAll(async () => {
  fleet = resources.use('fleet', await startTestFleet({ queue: 'postgres' }), (it) => it.close());
  const enrolling = readConfig({ ...fleet.environment, WORKER_ROLES: 'enrol' });
  const enroller = await startWorker(enrolling, log);
  keyId = await fleet.orderKey('P-256');
  await keyEnrolled(fleet, keyId);
  await enroller.close();
  token = await openConfiguredSigningToken(
    readConfig({ ...fleet.environment, WORKER_ROLES: 'sign' }),
  );
  resources.use('token', token, (it) => it.close());
});

afterAll(() => resources.close());

const LIMITS = { giveUpSeconds: 3_600, maxAttempts: 100, timeoutSeconds: 60 };

function context(changes: Partial<SigningContext> = {}): SigningContext {
  return {
    database: fleet.database,
    store: fleet.store,
    token,
    announce: () => Promise.resolve(),
    workerId: 'test',
    leaseSeconds: 30,
    maxDocumentBytes: 1_000_000,
    limits: LIMITS,
    log,
    metrics: createMetrics(),
    ...changes,
  };
}

async function submit(name: string): Promise<string> {
  await fleet.putSource(name, samplePdf(name));
  return fleet.submit({ keyId, source: name });
}

/** Counts what reaches the object store, and lets a test stand in the way. */
function watched(before: () => Promise<void> = () => Promise.resolve()) {
  let puts = 0;
  const store: ObjectStore = {
    ...fleet.store,
    put: async (o) => {
      await before();
      const stored = await fleet.store.put(o);
      puts += 1;
      return stored;
    },
  };
  return { store, puts: () => puts };
}

function expireLease(id: string): Promise<unknown> {
  const leaseExpiresAt = new Date(Date.now() - 1_000);
  return fleet.database.prisma.signing.update({ where: { id }, data: { leaseExpiresAt } });
}

async function expectOneResult(id: string): Promise<void> {
  const { prisma } = fleet.database;
  const row = await prisma.signing.findUniqueOrThrow({ where: { id } });
  expect(row.state).toBe('completed');
  expect(await prisma.event.count({ where: { subject: id } })).toBe(1);
  const signed = await fleet.result(row);
  expect(createHash('sha256').update(signed).digest('hex')).toBe(row.resultSha256);
}

it('jobs that run twice at the same time make one object and one event', async () => {
  const id = await submit('twice-at-once.pdf');
  const { store, puts } = watched();
  await Promise.all([1, 2, 3].map(() => signDocument(context({ store }), id)));
  expect(puts()).toBe(1);
  await expectOneResult(id);
  expect(await signDocument(context({ store }), id)).toEqual({ outcome: 'done' });
  expect(puts()).toBe(1);
});

it('a worker that lost its lease before publishing publishes nothing', async () => {
  const id = await submit('fenced-before.pdf');
  const hold = gate();
  const slow: SigningToken = {
    ...token,
    withUnwrappedKey: async (...bracket) => {
      await hold.pass();
      return token.withUnwrappedKey(...bracket);
    },
  };
  const { store, puts } = watched();
  const first = signDocument(context({ store, token: slow, leaseSeconds: 1.5 }), id);
  await hold.reached;
  await expireLease(id);
  expect(await signDocument(context(), id)).toEqual({ outcome: 'done' });
  await sleep(1_000); // the first worker asks for an extension every half second
  hold.open();
  expect(await first).toEqual({ outcome: 'done' });
  expect(puts()).toBe(0);
  await expectOneResult(id);
});

it('a worker that lost its lease while publishing finds the other object and adds nothing', async () => {
  const id = await submit('fenced-while.pdf');
  const hold = gate();
  const { store, puts } = watched(hold.pass);
  const first = signDocument(context({ store }), id);
  await hold.reached;
  await expireLease(id);
  expect(await signDocument(context(), id)).toEqual({ outcome: 'done' });
  hold.open();
  expect(await first).toEqual({ outcome: 'done' });
  expect(puts()).toBe(0);
  await expectOneResult(id);
});

it('an attempt that ended after its PUT is adopted by the next one, without the key', async () => {
  const id = await submit('adopted.pdf');
  const answerLost: ObjectStore = {
    ...fleet.store,
    put: async (o) => {
      await fleet.store.put(o);
      throw new StorageError('unavailable', 'the answer was lost');
    },
  };
  expect(await signDocument(context({ store: answerLost }), id)).toMatchObject({
    outcome: 'retry',
    reason: 'storage_unavailable',
  });
  const waiting = await fleet.database.prisma.signing.findUniqueOrThrow({ where: { id } });
  expect(waiting).toMatchObject({ state: 'queued', errorCode: 'storage_unavailable', attempts: 1 });

  let uses = 0;
  const counting: SigningToken = {
    ...token,
    withUnwrappedKey: (...bracket) => {
      uses += 1;
      return token.withUnwrappedKey(...bracket);
    },
  };
  const { store, puts } = watched();
  expect(await signDocument(context({ store, token: counting }), id)).toEqual({ outcome: 'done' });
  expect({ uses, puts: puts() }).toEqual({ uses: 0, puts: 0 });
  await expectOneResult(id);
});

it('an object that only says that it is ours is not adopted', async () => {
  const id = await submit('forged.pdf');
  const body = samplePdf('forged.pdf, unsigned');
  await fleet.store.put({
    bucket: RESULT_BUCKET,
    key: 'forged.pdf',
    body,
    contentType: 'application/pdf',
    metadata: {
      'signfleet-signing-id': id,
      'signfleet-sha256': createHash('sha256').update(body).digest('hex'),
    },
  });
  expect(await signDocument(context(), id)).toEqual({ outcome: 'done' });
  const row = await fleet.database.prisma.signing.findUniqueOrThrow({ where: { id } });
  expect(row).toMatchObject({ state: 'failed', errorCode: 'destination_exists' });
});

it('waits for an HSM that lost its session, and signs when it is back', async () => {
  const id = await submit('session-lost.pdf');
  const lost: SigningToken = {
    ...token,
    withUnwrappedKey: () => Promise.reject(new HsmError('session_lost', 'away')),
  };
  expect(await signDocument(context({ token: lost }), id)).toMatchObject({
    outcome: 'retry',
    reason: 'hsm_session_lost',
  });
  expect(await signDocument(context(), id)).toEqual({ outcome: 'done' });
  await expectOneResult(id);
});

it('publishes nothing that does not pass its own check', async () => {
  const id = await submit('wrong-signature.pdf');
  const lying: SigningToken = {
    ...token,
    withUnwrappedKey: (record, use) =>
      token.withUnwrappedKey(record, (signer) =>
        use({ ...signer, sign: () => signer.sign(Buffer.from('something else')) }),
      ),
  };
  const { store, puts } = watched();
  expect(await signDocument(context({ store, token: lying }), id)).toMatchObject({
    outcome: 'retry',
    reason: 'worker_self_check_failed',
  });
  expect(puts()).toBe(0);
});

it('gives up what stays out of reach after the configured number of attempts', async () => {
  const id = await submit('gave-up.pdf');
  const away: ObjectStore = {
    ...fleet.store,
    get: () => Promise.reject(new StorageError('unavailable', 'away')),
  };
  const limits = { ...LIMITS, maxAttempts: 2 };
  expect(await signDocument(context({ store: away, limits }), id)).toMatchObject({
    outcome: 'retry',
  });
  expect(await signDocument(context({ store: away, limits }), id)).toEqual({ outcome: 'done' });
  const row = await fleet.database.prisma.signing.findUniqueOrThrow({ where: { id } });
  expect(row).toMatchObject({ state: 'failed', errorCode: 'gave_up', attempts: 2 });
});

it('gives a document back when the HSM never answers, and does not use the key any more', async () => {
  const id = await submit('hsm-hangs.pdf');
  const hold = gate();
  let answered: Promise<unknown> = Promise.resolve();
  const hanging: SigningToken = {
    ...token,
    withUnwrappedKey: async (...bracket) => {
      await hold.pass();
      return (answered = token.withUnwrappedKey(...bracket));
    },
  };
  const { store, puts } = watched();
  const limits = { ...LIMITS, timeoutSeconds: 0.5 };
  const first = await signDocument(context({ store, token: hanging, limits }), id);
  await hold.reached;
  expect(first).toMatchObject({ outcome: 'retry', reason: 'worker_timed_out' });
  expect(await signDocument(context(), id)).toEqual({ outcome: 'done' });
  hold.open();
  await sleep(0);
  await expect(answered).rejects.toMatchObject({ code: 'fenced' });
  expect(puts()).toBe(0);
  await expectOneResult(id);
});

it('does not try for ever a document that ends its workers', async () => {
  const id = await submit('deadly.pdf');
  const { signing } = fleet.database.prisma;
  await signing.update({ where: { id }, data: { attempts: LIMITS.maxAttempts } });
  expect(await signDocument(context(), id)).toEqual({ outcome: 'done' });
  const row = await signing.findUniqueOrThrow({ where: { id } });
  expect(row).toMatchObject({ state: 'failed', errorCode: 'internal_error' });
});

it('signs at a second attempt where it may write and read but not list', async () => {
  const id = await submit('may-not-list.pdf');
  const denied = () => Promise.reject(new StorageError('access_denied', 'or not there'));
  await fleet.database.prisma.signing.update({ where: { id }, data: { attempts: 1 } });
  const store: ObjectStore = { ...fleet.store, head: denied };
  expect(await signDocument(context({ store }), id)).toEqual({ outcome: 'done' });
  await expectOneResult(id);
});
