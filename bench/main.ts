import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from '../apps/cli/src/connection.ts';
import { startLocalStack } from '../apps/cli/src/demo/local-stack.ts';
import { renderTable } from '../apps/cli/src/output.ts';
import { measurePipeline, type PipelineResult } from './pipeline.ts';
import { measureRawRate, type RawRate } from './raw-pkcs11.ts';

const algorithms = ['RSA-2048', 'P-256'] as const;
const queues = ['redis', 'postgres'] as const;
/** As many as the worker of the local stack has. */
const sessions = 4;

type Algorithm = (typeof algorithms)[number];
type Measured = { algorithm: Algorithm; queue: (typeof queues)[number]; result: PipelineResult };

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '500' },
    bytes: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '6' },
    json: { type: 'boolean', default: false },
  },
});
const documents = Number(values.documents);
const bytes = Number(values.bytes);

const folder = await mkdtemp(join(tmpdir(), 'signfleet-bench-'));
try {
  const measured: Measured[] = [];
  for (const queue of queues) measured.push(...(await measureQueue(queue)));
  const raw: RawRate[] = [];
  for (const algorithm of algorithms) raw.push(await measureRaw(algorithm));
  if (values.json) process.stdout.write(`${JSON.stringify({ documents, bytes, measured, raw })}\n`);
  else report(measured, raw);
} finally {
  await rm(folder, { recursive: true });
}

/** A stack with one signing worker; its HSM is the same for both queues. */
async function measureQueue(queue: (typeof queues)[number]): Promise<Measured[]> {
  const say = (step: string): void => void process.stderr.write(`… ${queue}: ${step}\n`);
  const stack = await startLocalStack(folder, { onStep: say, queue });
  try {
    const api = await connect(stack.api);
    const measured: Measured[] = [];
    for (const algorithm of algorithms) {
      say(`${documents} documents, ${algorithm}`);
      const run = { api, algorithm, bytes, folder };
      await measurePipeline({ ...run, documents: 50 }); // warm-up
      measured.push({ algorithm, queue, result: await measurePipeline({ ...run, documents }) });
    }
    return measured;
  } finally {
    await stack.close();
  }
}

async function measureRaw(algorithm: Algorithm): Promise<RawRate> {
  process.stderr.write(`… raw PKCS#11, ${algorithm}\n`);
  const hsm = join(folder, 'hsm');
  const env = JSON.parse(await readFile(join(hsm, 'environment.json'), 'utf8')) as {
    HSM_MODULE: string;
    SOFTHSM2_CONF: string;
  };
  process.env['SOFTHSM2_CONF'] = env.SOFTHSM2_CONF;
  return measureRawRate({
    modulePath: env.HSM_MODULE,
    tokenLabel: 'signfleet-signing',
    pin: (await readFile(join(hsm, 'signing.pin'), 'utf8')).trim(),
    algorithm,
    seconds: Number(values.seconds),
    sessions,
  });
}

function report(measured: readonly Measured[], raw: readonly RawRate[]): void {
  const rawRate = (algorithm: Algorithm): number =>
    raw.find((one) => one.algorithm === algorithm)?.unwrapSignDestroyPerSecond ?? Number.NaN;
  process.stdout.write(
    `\n${documents} documents of ${bytes} bytes, one worker, ${cpus().length} cores shared by API,\n` +
      `worker, PostgreSQL, queue, S3 server and SoftHSM2\n\n`,
  );
  const rows = measured.map(({ algorithm, queue, result }) => [
    queue,
    algorithm,
    result.documentsPerSecond.toFixed(1),
    rawRate(algorithm).toFixed(0),
    `${((100 * result.documentsPerSecond) / rawRate(algorithm)).toFixed(1)} %`,
  ]);
  const head = ['QUEUE', 'ALGORITHM', 'DOCUMENTS/S', 'RAW UNWRAP+SIGN+DESTROY/S', 'RATIO'];
  process.stdout.write(`${renderTable(head, rows)}\n\n`);
  const stages = [...new Set(measured.flatMap(({ result }) => Object.keys(result.stageMillis)))];
  const stageRows = measured.map(({ algorithm, queue, result }) => [
    queue,
    algorithm,
    ...stages.map((stage) => (result.stageMillis[stage] ?? 0).toFixed(2)),
  ]);
  process.stdout.write('Milliseconds of one document by stage, with several documents in hand:\n');
  process.stdout.write(`${renderTable(['QUEUE', 'ALGORITHM', ...stages], stageRows)}\n`);
}
