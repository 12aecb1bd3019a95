import { readConfig, type WorkerConfig } from './config.ts';
import { createLogger, describeError, type Logger } from './logging.ts';
import { startWorker, type RunningWorker } from './worker.ts';

/** Exit codes beside 0: a setting is wrong; a role could not start; the deadline passed. */
const EXIT_CONFIG = 78;
const EXIT_FAILED = 1;
const EXIT_DEADLINE = 75;

function configure(): WorkerConfig {
  try {
    return readConfig(process.env);
  } catch (error) {
    // No logger yet: its level is part of what could not be read.
    process.stderr.write(
      `${JSON.stringify({ level: 'fatal', msg: 'not started', err: describeError(error) })}\n`,
    );
    process.exit(EXIT_CONFIG);
  }
}

/** Closes within the deadline, then leaves: 0 when all jobs in hand were finished. */
async function stop(worker: RunningWorker, config: WorkerConfig, log: Logger): Promise<never> {
  const deadline = setTimeout(() => {
    log.error(
      { deadlineSeconds: config.SHUTDOWN_DEADLINE_SECONDS },
      'shutdown deadline passed: leaving jobs in hand to the reconciler',
    );
    log.flush();
    process.exit(EXIT_DEADLINE);
  }, config.SHUTDOWN_DEADLINE_SECONDS * 1_000);
  try {
    await worker.close();
    log.info('stopped');
    return process.exit(process.exitCode ?? 0);
  } catch (error) {
    log.error({ err: error }, 'stopped with errors');
    return process.exit(EXIT_FAILED);
  } finally {
    clearTimeout(deadline);
  }
}

const config = configure();
const log = createLogger({ level: config.LOG_LEVEL, workerId: config.workerId });
const worker = await startWorker(config, log);
let stopping: Promise<never> | undefined;
process.on('uncaughtException', (error) => {
  // A fault of this program: nothing after it can be trusted. Leases and the reconciler do the rest.
  log.fatal({ err: error }, 'uncaught error');
  process.exit(EXIT_FAILED);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    log.info({ signal }, 'stopping');
    stopping ??= stop(worker, config, log);
  });
}
worker.started.catch((error: unknown) => {
  if (stopping !== undefined) return; // interrupted on purpose
  log.fatal({ err: error }, 'a role could not start');
  process.exitCode = EXIT_FAILED;
  stopping = stop(worker, config, log);
});
