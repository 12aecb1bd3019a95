import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWebhookEndpoint, newId, type EventType } from '@signfleet/db';
import { generateSecret, parseSealingKey, sealSecret } from '@signfleet/webhooks';
import type { TestFleet } from './fleet.ts';

export interface ReceivedWebhook {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver and its registration as an endpoint of the tenant. */
export interface WebhookReceiver {
  readonly endpointId: string;
  readonly secret: string;
  readonly received: readonly ReceivedWebhook[];
  close(): Promise<void>;
}

/** Listens on the loopback interface; `answer` gives the status, 'never' keeps the sender waiting. */
export async function startWebhookReceiver(
  fleet: TestFleet,
  o: {
    readonly eventTypes?: readonly EventType[];
    readonly answer?: (count: number) => number | 'never';
  } = {},
): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      const status = o.answer?.(received.length) ?? 204;
      if (status !== 'never') response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const secret = generateSecret();
  const endpointId = newId('whe');
  const key = parseSealingKey(fleet.webhookSecretKey.toString('base64'));
  await createWebhookEndpoint(fleet.database, {
    tenantId: fleet.tenantId,
    actor: 'system',
    endpoint: {
      id: endpointId,
      url: `http://127.0.0.1:${port}/hook`,
      eventTypes: o.eventTypes ?? [],
      sealedSecret: sealSecret({ secret, endpointId, key }),
    },
  });
  return {
    endpointId,
    secret,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
