/** A consumer in a process of its own: takes jobs, never finishes one, tells what it sees. */
import { consume } from '../src/index.ts';

const [url = '', prefix = ''] = process.argv.slice(2);

await consume({
  url,
  prefix,
  kind: 'sign-document',
  concurrency: 1,
  lockMs: 1_000,
  process: (job) => {
    console.log(`started ${job.id}`);
    job.signal.addEventListener('abort', () => console.log(`aborted ${job.id}`));
    return new Promise(() => undefined);
  },
  onError: (error) => console.error(error.code),
});
console.log('ready');
