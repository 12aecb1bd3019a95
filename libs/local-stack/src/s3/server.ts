import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { BucketStore } from './bucket-store.ts';
import { S3Fault } from './fault.ts';
import { handlerOf } from './routes.ts';
import { parseRequest } from './s3-request.ts';
import { signatureVerifier, type S3Credentials } from './signature.ts';
import { xmlDocument } from './xml.ts';

/** An HTTP server that speaks the S3 API (path-style) over `store`; every request must be signed. */
export function createS3Server(store: BucketStore, credentials: S3Credentials): Server {
  const verify = signatureVerifier(credentials);
  const runId = randomBytes(6).toString('hex');
  let count = 0;
  const handle = async (
    incoming: IncomingMessage,
    response: ServerResponse,
    verified?: () => void,
  ): Promise<void> => {
    count += 1;
    response.setHeader('x-amz-request-id', `${runId}${count.toString(16).padStart(10, '0')}`);
    try {
      const request = parseRequest(incoming);
      const signedHash = verify(request);
      verified?.();
      await handlerOf(request)({ store, request, signedHash }, response);
    } catch (error) {
      refuse(error, incoming, response);
    }
  };
  const server = createServer({ keepAliveTimeout: 75_000 }, (incoming, response) => {
    void handle(incoming, response);
  });
  // Expect: 100-continue asks whether to send the body at all: only if the signature is right.
  server.on('checkContinue', (incoming: IncomingMessage, response: ServerResponse) => {
    void handle(incoming, response, () => response.writeContinue());
  });
  return server;
}

function refuse(error: unknown, incoming: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent || response.destroyed) {
    response.destroy(); // the answer has begun: cutting it off is the only way to tell
    return;
  }
  const fault =
    error instanceof S3Fault
      ? error
      : new S3Fault('InternalError', error instanceof Error ? error.message : 'unknown');
  const unread = !incoming.complete;
  const close = unread ? { connection: 'close' } : {};
  if (fault.status === 304 || incoming.method === 'HEAD') {
    response.writeHead(fault.status, { ...fault.headers, ...close }).end();
  } else {
    const content = {
      Code: fault.code,
      Message: fault.message,
      RequestId: String(response.getHeader('x-amz-request-id')),
    };
    const body = xmlDocument('Error', content);
    const headers = { 'content-type': 'application/xml', ...fault.headers, ...close };
    response.writeHead(fault.status, headers).end(body);
  }
  if (unread) incoming.resume(); // lets the sender finish and read the answer
}
