import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problems } from './errors.ts';

const acceptable = /^[\w.-]{8,128}$/;

/** The caller's `X-Request-Id` when it is harmless, else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && acceptable.test(given) ? given : randomUUID();
}

/** Headers of every answer. */
export function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  reply.header('cache-control', 'no-store');
  reply.header('x-content-type-options', 'nosniff');
}

/** Answers with the request's id, and writes one log line per request: never its query string. */
export function registerRequestContext(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    setCommonHeaders(request, reply);
    done();
  });
  closeConnectionsWhenStopping(app);
  app.addHook('onResponse', (request, reply, done) => {
    const quiet = request.routeOptions.config.access === 'public';
    const line = {
      method: request.method,
      path: request.url.split('?', 1)[0],
      route: request.routeOptions.url,
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime * 10) / 10,
      tenantId: request.caller?.tenantId,
      apiKeyId: request.caller?.apiKeyId,
    };
    if (quiet && reply.statusCode < problems.internal_error.status)
      request.log.debug(line, 'request');
    else request.log.info(line, 'request');
    done();
  });
}

/**
 * A connection whose last request was in hand when the server stopped must not be kept alive: the
 * server would wait for it until the deadline.
 */
function closeConnectionsWhenStopping(app: FastifyInstance): void {
  let stopping = false;
  app.addHook('preClose', (done) => {
    stopping = true;
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (stopping) reply.header('connection', 'close');
    done(null, payload);
  });
}
