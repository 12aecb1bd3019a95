import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Makes the passwords of a fleet at its first start, each kind into a volume of its own, so that a
 * container sees only those it needs. What exists stays as it is.
 */
const folder = '/run/signfleet';
const secret = () => randomBytes(24).toString('base64url');

/** Writes the files of one volume; the first of them comes last, as the sign that all are there. */
function once(volume, files) {
  const path = (name) => join(folder, volume, name);
  const names = Object.keys(files);
  if (existsSync(path(names[0]))) return;
  mkdirSync(join(folder, volume), { recursive: true });
  for (const name of names.reverse()) {
    rmSync(path(name), { force: true });
    // 0444: who may read it is decided by who mounts the volume; images run as different users.
    writeFileSync(path(name), files[name], { mode: 0o444 });
  }
}

const database = secret();
const queue = secret();
const [accessKeyId, secretAccessKey] = [secret(), secret()];
once('database', {
  password: database,
  url: `postgres://signfleet:${database}@postgres:5432/signfleet`,
});
once('queue', { password: queue, url: `redis://:${queue}@redis:6379` });
once('s3', {
  'access-key-id': accessKeyId,
  'secret-access-key': secretAccessKey,
  'identities.json': JSON.stringify({
    identities: [
      {
        name: 'signfleet',
        credentials: [{ accessKey: accessKeyId, secretKey: secretAccessKey }],
        actions: ['Admin', 'Read', 'Write', 'List'],
      },
    ],
  }),
});
once('webhooks', { 'secret-key': randomBytes(32).toString('base64') });

// The API, which runs as `node`, leaves the first API key here.
mkdirSync(join(folder, 'bootstrap'), { recursive: true });
chownSync(join(folder, 'bootstrap'), 1000, 1000);
