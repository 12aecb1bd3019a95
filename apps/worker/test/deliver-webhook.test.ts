import { ResourceStack } from '@signfleet/errors';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { createLogger } from '../src/logging.ts';
import { startWorker } from '../src/worker.ts';
import { eventually } from './support/eventually.ts';
import { startTestFleet, type TestFleet } from './support/fleet.ts';
import { keyEnrolled } from './support/key-enrolled.ts';
import { samplePdf } from './support/sample-pdf.ts';
import { startWebhookReceiver, type ReceivedWebhook } from './support/webhook-receiver.ts';

const resources = new ResourceStack();
let fleet: TestFleet;
let keyId: string;

beforeAll(async () => {
  fleet = resources.use('fleet', await startTestFleet({ queue: 'redis' }), (it) => it.close());
  const config = readConfig({ ...fleet.environment, WEBHOOK_TIMEOUT_SECONDS: '60' });
  const log = createLogger({ level: 'error', workerId: 'test' });
  const worker = resources.use('worker', await startWorker(config, log), (it) => it.close());
  await worker.started;
  keyId = await fleet.orderKey('P-256');
  await keyEnrolled(fleet, keyId);
});

afterAll(() => resources.close());

async function sign(source: string): Promise<string> {
  await fleet.putSource(source, samplePdf(source));
  const id = await fleet.submit({ keyId, source });
  await fleet.finished(id);
  return id;
}

/** Throws unless the public library for receivers accepts it. */
function opened(secret: string, { headers, body }: ReceivedWebhook): unknown {
  const pick = (name: string): string => String(headers[name]);
  return new Webhook(secret).verify(body, {
    'webhook-id': pick('webhook-id'),
    'webhook-timestamp': pick('webhook-timestamp'),
    'webhook-signature': pick('webhook-signature'),
  });
}

it('announces each end of a signing, verifiable by the public library', async () => {
  const receiver = await startWebhookReceiver(fleet, {
    eventTypes: ['signing.completed', 'signing.failed', 'key.enrolled'],
  });
  const id = await sign('announced.pdf');
  const failed = await fleet.submit({ keyId, source: 'is-not-there.pdf' });
  await keyEnrolled(fleet, await fleet.orderKey('P-256'));
  await eventually('three webhooks', () => (receiver.received.length === 3 ? true : undefined));
  const events = receiver.received.map((webhook) => opened(receiver.secret, webhook));
  expect(events).toContainEqual(
    expect.objectContaining({
      type: 'signing.completed',
      data: expect.objectContaining({ id, state: 'completed' }) as unknown,
    }),
  );
  expect(events).toContainEqual(
    expect.objectContaining({
      type: 'signing.failed',
      data: expect.objectContaining({
        id: failed,
        error: {
          code: 'source_not_found',
          message: 'There is no object at the source.',
        },
      }) as unknown,
    }),
  );
  expect(events).toContainEqual(expect.objectContaining({ type: 'key.enrolled' }));
  const { prisma } = fleet.database;
  await eventually('the deliveries are recorded', async () => {
    const where = { endpointId: receiver.endpointId, state: 'delivered' } as const;
    return (await prisma.webhookDelivery.count({ where })) === 3 ? true : undefined;
  });
  await receiver.close();
  await prisma.webhookEndpoint.update({
    where: { id: receiver.endpointId },
    data: { enabled: false },
  });
});

it('tries again what was refused, with the same id, and records every attempt', async () => {
  const receiver = await startWebhookReceiver(fleet, {
    eventTypes: ['signing.completed'],
    answer: (count) => (count === 1 ? 503 : 200),
  });
  await sign('refused-once.pdf');
  await eventually('the second attempt', () => (receiver.received.length === 2 ? true : undefined));
  const [first, second] = receiver.received;
  expect(opened(receiver.secret, first!)).toEqual(opened(receiver.secret, second!));
  expect(first!.headers['webhook-id']).toBe(second!.headers['webhook-id']);
  const { prisma } = fleet.database;
  const attempts = await eventually('both attempts are recorded', async () => {
    const rows = await prisma.webhookAttempt.findMany({
      where: { delivery: { endpointId: receiver.endpointId } },
      orderBy: { number: 'asc' },
    });
    return rows.length === 2 ? rows : undefined;
  });
  expect(attempts).toMatchObject([
    { number: 1, status: 503, errorCode: 'status' },
    { number: 2, status: 200, errorCode: null },
  ]);
  await receiver.close();
  await prisma.webhookEndpoint.update({
    where: { id: receiver.endpointId },
    data: { enabled: false },
  });
});

it('sends nothing more to an endpoint that has been disabled meanwhile', async () => {
  const receiver = await startWebhookReceiver(fleet, {
    eventTypes: ['signing.completed'],
    answer: (count) => (count === 1 ? 503 : 200),
  });
  const { prisma } = fleet.database;
  await sign('disabled-meanwhile.pdf');
  const where = { endpointId: receiver.endpointId };
  await eventually('the first attempt is recorded', async () =>
    (await prisma.webhookDelivery.count({ where: { ...where, attempts: 1 } })) === 1
      ? true
      : undefined,
  );
  await prisma.webhookEndpoint.update({
    where: { id: receiver.endpointId },
    data: { enabled: false },
  });
  const ended = await eventually('the delivery is given up', async () => {
    const row = await prisma.webhookDelivery.findFirstOrThrow({ where });
    return row.state === 'pending' ? undefined : row;
  });
  expect(ended).toMatchObject({ state: 'failed', attempts: 2 });
  expect(receiver.received).toHaveLength(1);
  await receiver.close();
});

it('goes on signing while a receiver keeps every request waiting', async () => {
  const receiver = await startWebhookReceiver(fleet, {
    eventTypes: ['signing.completed'],
    answer: () => 'never',
  });
  for (let index = 0; index < 12; index += 1) await sign(`slow-receiver-${index}.pdf`);
  const where = { endpointId: receiver.endpointId };
  const deliveries = await fleet.database.prisma.webhookDelivery.findMany({ where });
  expect(deliveries).toHaveLength(12);
  expect(deliveries.every(({ state }) => state === 'pending')).toBe(true);
  await receiver.close();
});
