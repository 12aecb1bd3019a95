import { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import { collectDocuments, type SourceDocument } from '../collect-documents.ts';
import { connect, type ConnectionOptions } from '../connection.ts';
import { CliError } from '../error.ts';
import { findUser } from '../find-user.ts';
import { collectAll } from '../list-all.ts';
import { print, type OutputOptions } from '../output.ts';
import { acceptedBatchSchema, signingSchema, type Signing } from '../resources.ts';
import { upload } from '../transfer.ts';
import { watchBatch } from '../watch-batch.ts';

type Options = ConnectionOptions & OutputOptions;
type Fields = { user: string; watch: boolean; reason?: string; location?: string };

export function submitCommand(): Command {
  return new Command('submit')
    .description('upload PDFs and have a user sign them')
    .argument('<paths...>', 'files and folders')
    .requiredOption('--user <user>', 'who signs: id or external id')
    .option('--watch', 'wait for the results', false)
    .option('--reason <text>')
    .option('--location <text>')
    .action(async (paths: string[], fields: Fields, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const api = await connect(options);
      const documents = await collectDocuments(paths);
      const { id, total, items } = await submitBatch(api, documents, fields);
      process.stderr.write(`batch ${id}: ${total} of ${documents.length} accepted\n`);
      for (const { index, problem } of items) {
        if (problem === undefined) continue;
        process.stderr.write(
          `${documents[index]?.name ?? index}: ${problem.detail} (${problem.code})\n`,
        );
      }
      if (fields.watch) await watchBatch(api, id);
      const query = { batchId: id };
      const signings = await collectAll(api, { path: '/v1/signings', query, item: signingSchema });
      print(options, signings, { head: signingHead, rows: signings.map(signingRow) });
      const failed = signings.some((signing) => signing.state === 'failed');
      if (failed || total < documents.length) {
        throw new CliError('signing_failed', 'some documents were not signed: see above');
      }
    });
}

async function submitBatch(api: ApiClient, documents: readonly SourceDocument[], fields: Fields) {
  const { id: userId } = await findUser(api, fields.user);
  const { reason, location } = fields;
  const items = [];
  for (const document of documents) {
    const { bucket, key } = await upload(api, document.path);
    const metadata = { fileName: document.name };
    items.push({ userId, source: { bucket, key }, reason, location, metadata });
  }
  return api.call({
    method: 'POST',
    path: '/v1/batches',
    body: { items },
    schema: acceptedBatchSchema,
  });
}

export const signingHead = ['ID', 'STATE', 'USER', 'SOURCE', 'RESULT'];

export function signingRow(signing: Signing) {
  const { error, destination, state } = signing;
  const result =
    state === 'completed' ? destination.key : error && `${error.code}: ${error.message}`;
  const source = signing.metadata?.['fileName'] ?? signing.source.key;
  return [signing.id, state, signing.userId, source, result ?? ''];
}
