import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { notFound, problemDetails, retryAfterSeconds, type ApiError } from './errors.ts';
import { setCommonHeaders } from './request-context.ts';
import { toApiError } from './to-api-error.ts';

/** Answers every failure with problem details (RFC 9457) and logs those that are the server's. */
export function registerErrorHandler(app: FastifyInstance): void {
  app.setErrorHandler((error: unknown, request, reply) => {
    const problem = toApiError(error);
    if (problem.code === 'internal_error') request.log.error({ err: error }, 'request failed');
    else if (problem.status === 503) request.log.warn({ err: error }, 'dependency failed');
    return sendProblem(problem, request, reply);
  });
  app.setNotFoundHandler((request, reply) => sendProblem(notFound(), request, reply));
}

/** Answers with the problem details of `error`. */
export function sendProblem(
  error: ApiError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  // What fails before routing has passed no hook.
  setCommonHeaders(request, reply);
  const retryAfter = retryAfterSeconds(error.code);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  if (error.status === 401) reply.header('www-authenticate', challenge(request));
  return reply
    .code(error.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(problemDetails(error, request.id));
}

/** RFC 6750 section 3: no error code when no credentials were sent. */
function challenge(request: FastifyRequest): string {
  const realm = 'Bearer realm="signfleet"';
  return request.headers.authorization === undefined ? realm : `${realm}, error="invalid_token"`;
}
