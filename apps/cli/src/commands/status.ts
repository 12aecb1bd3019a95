import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { z } from 'zod';
import { connect, type ConnectionOptions } from '../connection.ts';
import { print, type OutputOptions } from '../output.ts';
import { pageOf, signingSchema } from '../resources.ts';
import { signingHead, signingRow } from './submit.ts';

type Options = ConnectionOptions & OutputOptions;
const finalStates = new Set(['completed', 'failed', 'canceled']);

export function statusCommand(): Command {
  return new Command('status')
    .description('one signing, or the newest ones')
    .argument('[signing]', 'id')
    .option('--watch', 'wait for the final state of the signing', false)
    .option('--state <state>', 'only those in this state')
    .option('--limit <count>', 'how many of the newest', '20')
    .action(
      async (
        id: string | undefined,
        own: { watch: boolean; state?: string; limit: string },
        self: Command,
      ) => {
        const options = self.optsWithGlobals<Options>();
        const api = await connect(options);
        const path = '/v1/signings';
        if (id === undefined) {
          const query = { state: own.state, limit: z.coerce.number().parse(own.limit) };
          const page = await api.call({ path, query, schema: pageOf(signingSchema) });
          print(options, page.items, { head: signingHead, rows: page.items.map(signingRow) });
          return;
        }
        const one = { path: `${path}/${encodeURIComponent(id)}`, schema: signingSchema };
        let signing = await api.call(one);
        while (own.watch && !finalStates.has(signing.state)) {
          await delay(200);
          signing = await api.call(one);
        }
        print(options, signing, { head: signingHead, rows: [signingRow(signing)] });
      },
    );
}
