import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const eventSchema = z.looseObject({ type: z.string(), data: z.looseObject({ id: z.string() }) });

/** An event whose signature was checked. */
export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly subjectId: string;
}

/** Checks the three `webhook-*` headers over the raw body; throws when they do not fit. */
export type VerifyDelivery = (body: string, headers: Record<string, string>) => void;

/** A local endpoint as a customer would run one: verifies, deduplicates by id, answers 204. */
export interface WebhookReceiver {
  readonly url: string;
  /** Deliveries refused because their signature did not fit. */
  readonly refused: number;
  trust(verify: VerifyDelivery): void;
  close(): Promise<void>;
}

export async function startWebhookReceiver(
  onEvent: (event: ReceivedEvent) => void,
): Promise<WebhookReceiver> {
  const seen = new Set<string>();
  const state: { refused: number; verify: VerifyDelivery | undefined } = {
    refused: 0,
    verify: undefined,
  };
  const server = createServer((request, response) => {
    void receive(request, response, state, (event) => {
      if (seen.has(event.id)) return;
      seen.add(event.id);
      onEvent(event);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    get refused() {
      return state.refused;
    },
    trust: (verify) => {
      state.verify = verify;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  state: { refused: number; verify: VerifyDelivery | undefined },
  onEvent: (event: ReceivedEvent) => void,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  try {
    if (state.verify === undefined) throw new Error('no secret yet');
    state.verify(body, request.headers as Record<string, string>);
  } catch {
    state.refused += 1;
    response.writeHead(401).end();
    return;
  }
  const event = eventSchema.parse(JSON.parse(body));
  onEvent({
    id: String(request.headers['webhook-id']),
    type: event.type,
    subjectId: event.data.id,
  });
  response.writeHead(204).end();
}
