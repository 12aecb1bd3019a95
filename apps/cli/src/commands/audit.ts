import { verifyAuditChain, type AuditChainEntry, type AuditChainLink } from '@signfleet/audit';
import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import type { ApiClient } from '../api-client.ts';
import { connect, type ConnectionOptions } from '../connection.ts';
import { CliError } from '../error.ts';
import { listAll } from '../list-all.ts';
import { print, type OutputOptions } from '../output.ts';

type Options = ConnectionOptions & OutputOptions;

const entrySchema = z.object({
  tenantId: z.string(),
  position: z.coerce.number().int(),
  at: z.string(),
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  details: z.string(),
  prevHash: z.string(),
  hash: z.string(),
});

const partSize = 1_000;

export function auditCommand(): Command {
  return new Command('audit')
    .description('who used which key, and proof that the log is whole')
    .addCommand(listCommand())
    .addCommand(verifyCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('print the audit log')
    .option('--subject <id>', 'only entries about this resource')
    .action(async (own: { subject?: string }, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const entries: AuditChainEntry[] = [];
      for await (const entry of entriesOf(await connect(options))) {
        if (own.subject === undefined || entry.subject === own.subject) entries.push(entry);
      }
      print(options, entries, {
        head: ['POSITION', 'AT', 'ACTOR', 'ACTION', 'SUBJECT', 'DETAILS'],
        rows: entries.map((e) => [e.position, e.at, e.actor, e.action, e.subject, e.details]),
      });
    });
}

function verifyCommand(): Command {
  return new Command('verify')
    .description('recompute the hash chain of the whole log on this machine')
    .option('--expected-head <position:hash>', 'a head noted earlier', parseHead)
    .action(async (own: { expectedHead?: AuditChainLink }, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const head = await verifyInParts(await connect(options), own.expectedHead);
      print(
        options,
        { intact: true, head },
        {
          head: ['INTACT', 'ENTRIES', 'HEAD'],
          rows: [['yes', head.position, `${head.position}:${head.hash}`]],
        },
      );
    });
}

function entriesOf(api: ApiClient) {
  return listAll(api, { path: '/v1/audit', item: entrySchema });
}

/** Walks the chain part by part, so that memory does not grow with the log. */
async function verifyInParts(
  api: ApiClient,
  expected: AuditChainLink | undefined,
): Promise<AuditChainLink> {
  let after: AuditChainLink | undefined;
  let part: AuditChainEntry[] = [];
  const check = (last: boolean): void => {
    const [first] = part;
    if (first === undefined) return;
    const covered = expected !== undefined && (last || expected.position <= lastPosition(part));
    const verdict = verifyAuditChain(part, {
      tenantId: first.tenantId,
      ...(after === undefined ? {} : { after }),
      ...(covered ? { head: expected } : {}),
    });
    if (!verdict.intact) {
      throw new CliError(
        'verification_failed',
        `the audit log is broken at entry ${verdict.position}: ${verdict.fault}`,
      );
    }
    after = verdict.head;
    part = [];
  };
  for await (const entry of entriesOf(api)) {
    part.push(entry);
    if (part.length === partSize) check(false);
  }
  check(true);
  if (after === undefined) throw new CliError('verification_failed', 'the audit log is empty');
  if (expected !== undefined && expected.position > after.position) {
    throw new CliError(
      'verification_failed',
      `the log ends at ${after.position}: its tail was cut`,
    );
  }
  return after;
}

const lastPosition = (part: readonly AuditChainEntry[]): number => part.at(-1)?.position ?? 0;

function parseHead(text: string): AuditChainLink {
  const match = /^(\d+):([0-9a-f]{64})$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError('give position:hash as audit verify prints it');
  return { position: Number(match[1]), hash: match[2] ?? '' };
}
