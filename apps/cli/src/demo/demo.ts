import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ResourceStack } from '@signfleet/errors';
import { LocalStackError } from '@signfleet/local-stack';
import { collectDocuments, type SourceDocument } from '../collect-documents.ts';
import { localStackFolder } from '../connection.ts';
import { CliError } from '../error.ts';
import { watchInterruption } from './interruption.ts';
import { removeLocalStack, startLocalStack } from './local-stack.ts';
import { runDemo } from './run-demo.ts';

export interface DemoCommandOptions {
  readonly exit: boolean;
  readonly reset: boolean;
  readonly out: string;
}

const examples = fileURLToPath(new URL('../../../../examples', import.meta.url));
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** `npm run demo`: a whole stack, one batch, its results checked; up until Ctrl-C unless `exit`. */
export async function demo(paths: string[], options: DemoCommandOptions): Promise<void> {
  const documents = paths.length === 0 ? await samples() : await collectDocuments(paths);
  const folder = resolve(localStackFolder);
  const interruption = watchInterruption();
  const resources = new ResourceStack();
  const onStep = (step: string): void => say(`… ${step}`);
  try {
    if (options.reset) await removeLocalStack(folder);
    const stack = await startLocalStack(folder, { onStep });
    resources.use('local stack', stack, (running) => running.close());
    const run = runDemo(stack, { documents, outputFolder: options.out, onStep });
    await Promise.race([run, interruption.thrown]);
    if (!options.exit) {
      say(`\nThe API is at ${stack.api.url}; its key is in ${stack.api.apiKeyFile}.`);
      say('Try "npx signfleet status" in a second terminal. Ctrl-C stops everything.');
      await interruption.happened;
    }
  } catch (cause) {
    if (cause instanceof LocalStackError) {
      const code = cause.code === 'directory_in_use' ? 'local_stack_in_use' : 'local_stack_failed';
      throw new CliError(code, cause.message, { cause });
    }
    if (!(cause instanceof CliError && cause.code === 'interrupted')) throw cause;
  } finally {
    onStep('stopping');
    await resources.close();
  }
}

/** The shipped samples: sound ones, and in a folder of their own some that must be refused. */
async function samples(): Promise<SourceDocument[]> {
  const files = await collectDocuments([examples]);
  return files.filter((file) => file.name.endsWith('.pdf'));
}
