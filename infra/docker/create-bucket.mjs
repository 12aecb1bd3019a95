import { readFileSync } from 'node:fs';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';

/** Makes the bucket UPLOAD_BUCKET with versioning, unless it is there already. */
const fromFile = (name) => readFileSync(process.env[name], 'utf8').trim();
const client = new S3Client({
  endpoint: process.env.S3_ENDPOINT,
  region: process.env.S3_REGION ?? 'us-east-1',
  forcePathStyle: process.env.S3_FORCE_PATH_STYLE === 'true',
  credentials: {
    accessKeyId: fromFile('S3_ACCESS_KEY_ID_FILE'),
    secretAccessKey: fromFile('S3_SECRET_ACCESS_KEY_FILE'),
  },
  maxAttempts: 10, // the server may still be starting
});
const Bucket = process.env.UPLOAD_BUCKET ?? 'signfleet';
try {
  await client.send(new CreateBucketCommand({ Bucket }));
} catch (error) {
  if (error.name !== 'BucketAlreadyOwnedByYou' && error.name !== 'BucketAlreadyExists') throw error;
}
const VersioningConfiguration = { Status: 'Enabled' };
await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
console.log(`bucket ${Bucket} is ready`);
client.destroy();
