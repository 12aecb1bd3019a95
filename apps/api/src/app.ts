import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import swagger from '@fastify/swagger';
import { findCaller, type Database } from '@signfleet/db';
import type { ObjectStore } from '@signfleet/storage';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { registerAuthentication } from './authentication.ts';
import { registerErrorHandler, sendProblem } from './error-handler.ts';
import { registerRequestMetrics } from './metrics.ts';
import { registerRequestContext, requestId } from './request-context.ts';
import type { ObjectPolicy } from './object-policy.ts';
import type { MakeSecret } from './repeatable-secret.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { auditRoutes } from './routes/audit.ts';
import { batchRoutes } from './routes/batches.ts';
import { certificateRoutes } from './routes/certificates.ts';
import { eventRoutes } from './routes/events.ts';
import { grantRoutes } from './routes/grants.ts';
import { healthRoutes, type Probe } from './routes/health.ts';
import { keyRoutes } from './routes/keys.ts';
import { signingRoutes } from './routes/signings.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { userRoutes } from './routes/users.ts';
import { webhookEndpointRoutes } from './routes/webhook-endpoints.ts';
import { validatorCompiler } from './schema-compiler.ts';
import { toApiError } from './to-api-error.ts';
import type { WakeUp } from './wake-up.ts';

/** The Fastify server whose route types come from zod schemas. */
export type App = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Everything that the routes use, made once in main.ts. */
export interface Dependencies {
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly db: Database;
  readonly wakeUp: WakeUp;
  /** Presigns URLs that callers can reach. */
  readonly publicStore: Pick<ObjectStore, 'presignGet' | 'presignPut'>;
  readonly objectPolicy: ObjectPolicy;
  readonly makeSecret: MakeSecret;
  /** Encrypts a webhook's secret for storage in the row of its endpoint. */
  readonly sealWebhookSecret: (secret: string, endpointId: string) => Uint8Array;
  readonly probes: Readonly<Record<string, Probe>>;
  readonly requestTimeoutMillis: number;
}

const routes = [
  healthRoutes,
  userRoutes,
  keyRoutes,
  certificateRoutes,
  uploadRoutes,
  signingRoutes,
  batchRoutes,
  eventRoutes,
  webhookEndpointRoutes,
  apiKeyRoutes,
  grantRoutes,
  auditRoutes,
];

/** Bytes of a body, where a route does not say otherwise. */
const bodyLimit = 256 * 1024;

/** Builds the server with all its routes; the caller makes it listen and closes it. */
export async function buildApp(dependencies: Dependencies): Promise<App> {
  const loggerInstance: FastifyBaseLogger = dependencies.logger;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'requestId',
    }),
    genReqId: requestId,
    requestIdHeader: false,
    bodyLimit,
    handlerTimeout: dependencies.requestTimeoutMillis,
    // Draining: what still arrives on a kept-alive connection is answered, and the connection closed.
    return503OnClosing: false,
    // A slow sender of headers and body must not hold a connection for ever.
    requestTimeout: 60_000,
    routerOptions: { maxParamLength: 100, ignoreTrailingSlash: false },
    frameworkErrors: (error, request, reply) => {
      void sendProblem(toApiError(error), request, reply);
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.removeContentTypeParser('text/plain');
  registerErrorHandler(app);
  registerRequestContext(app);
  registerRequestMetrics(app, dependencies.metrics);
  registerAuthentication(app, (token) => findCaller(dependencies.db, token));
  await registerOpenApi(app);
  for (const register of routes) register(app, dependencies);
  app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, () =>
    app.swagger(),
  );
  return app;
}

async function registerOpenApi(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'signfleet',
        version: '1',
        description: 'Per-user digital signatures on PDFs, in bulk, with HSM-guarded keys.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      security: [{ apiKey: [] }],
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'sf_…' } },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}
