import { parseArgs } from 'node:util';
import { startS3 } from './s3.ts';

/** Serves S3 until SIGTERM or SIGINT: `node --import tsx s3-command.ts --directory DIR [--port N] …` */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      directory: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string' },
      region: { type: 'string', default: 'us-east-1' },
      bucket: { type: 'string', multiple: true, default: [] },
      versioning: { type: 'string', default: 'false' },
    },
  });
  if (values.directory === undefined) throw new TypeError('--directory is needed');
  const accessKeyId = process.env['S3_ACCESS_KEY_ID'];
  const secretAccessKey = process.env['S3_SECRET_ACCESS_KEY'];
  const s3 = await startS3({
    directory: values.directory,
    host: values.host,
    region: values.region,
    buckets: values.bucket,
    versioning: values.versioning === 'true',
    ...(values.port === undefined ? {} : { port: Number(values.port) }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void s3.stop());
  process.stdout.write(
    `${JSON.stringify({ msg: 'listening', port: s3.port, endpoint: s3.endpoint })}\n`,
  );
}

await main();
