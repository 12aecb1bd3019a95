import { composeApi } from './compose.ts';
import { readConfig, type Config } from './config.ts';
import { createLogger } from './logger.ts';

/** Settings, or an end with exit code 2 and one line that names every bad one. */
function settings(): Config {
  try {
    return readConfig(process.env);
  } catch (err) {
    createLogger({ level: 'info', service: 'api' }).fatal({ err }, 'bad settings');
    process.exit(2);
  }
}

const config = settings();
const logger = createLogger({ level: config.LOG_LEVEL, service: 'api' });

/** Takes no new connection, finishes the requests in hand, and closes everything in order. */
async function shutDown(close: () => Promise<void>): Promise<void> {
  const deadline = setTimeout(() => {
    logger.fatal('shutdown took too long');
    process.exit(1);
  }, config.SHUTDOWN_DEADLINE_SECONDS * 1_000);
  deadline.unref();
  try {
    await close();
    logger.info('stopped');
  } catch (err) {
    logger.error({ err }, 'stopped with errors');
    process.exitCode = 1;
  }
}

try {
  const api = await composeApi(config, logger);
  const close = (): Promise<void> => api.close();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'stopping');
      void shutDown(close);
    });
  }
  try {
    await api.app.listen({ host: config.HOST, port: config.PORT });
  } catch (error) {
    await close();
    throw error;
  }
  const address = api.app.server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  logger.info({ host: config.HOST, port }, 'listening');
} catch (err) {
  logger.fatal({ err }, 'the API could not start');
  process.exitCode = 1;
}
