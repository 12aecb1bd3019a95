import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parse, join } from 'node:path';
import { ResourceStack } from '@signfleet/errors';
import pMap from 'p-map';
import type { SourceDocument } from '../collect-documents.ts';
import { connect } from '../connection.ts';
import { CliError } from '../error.ts';
import { checkDocument } from './check-document.ts';
import { documentsSummary, documentsTable, type DocumentOutcome } from './documents-table.ts';
import type { LocalStack } from './local-stack.ts';
import { openProgress } from './progress.ts';
import { registerReceiver } from './register-receiver.ts';
import { allEventsReceived, assign, signBatch, type Settled } from './sign-batch.ts';
import { enrolSigners } from './signers.ts';
import {
  startWebhookReceiver,
  type ReceivedEvent,
  type WebhookReceiver,
} from './webhook-receiver.ts';

export interface DemoOptions {
  readonly documents: readonly SourceDocument[];
  readonly outputFolder: string;
  readonly onStep: (step: string) => void;
}

/** Enrols, signs one batch, receives its webhooks, checks and shows every result. */
export async function runDemo(stack: LocalStack, options: DemoOptions): Promise<void> {
  const resources = new ResourceStack();
  try {
    const api = await connect(stack.api);
    const received = new Map<string, ReceivedEvent>();
    const receiver = await startWebhookReceiver((event) => {
      if (event.type.startsWith('signing.')) received.set(event.subjectId, event);
    });
    resources.use('receiver', receiver, (running) => running.close());
    options.onStep('three users and their keys');
    await registerReceiver(api, receiver);
    const assignments = assign(options.documents, await enrolSigners(api));
    const progress = openProgress(assignments.length);
    resources.use('progress', progress, (bars) => bars.finish());
    const settled = await signBatch(api, assignments, progress);
    const check = {
      api,
      progress,
      outputFolder: options.outputFolder,
      caCertificateFile: stack.caCertificateFile,
      caCertificate: new X509Certificate(await readFile(stack.caCertificateFile)).raw,
      pathOf: outputPaths(settled),
    };
    const [outcomes, complete] = await Promise.all([
      pMap(settled, (one) => checkDocument(one, check), { concurrency: 2 }),
      allEventsReceived(settled, received, progress),
    ]);
    progress.finish();
    report(outcomes, receiver, { complete, count: received.size, options });
  } finally {
    await resources.close();
  }
}

/** `out/contract.signed.pdf`; with the signer's name where several people signed one file. */
function outputPaths(settled: readonly Settled[]): (one: Settled) => string {
  const taken = new Set<string>();
  const paths = new Map<Settled, string>();
  for (const one of settled) {
    const { dir, name } = parse(one.document.name);
    const candidates = [`${name}.signed.pdf`, `${name}.signed-by-${one.signer.name}.pdf`];
    let path = candidates.map((file) => join(dir, file)).find((file) => !taken.has(file));
    for (let count = 2; path === undefined; count += 1) {
      const next = join(dir, `${name}.signed-${count}.pdf`);
      if (!taken.has(next)) path = next;
    }
    taken.add(path);
    paths.set(one, path);
  }
  return (one) => paths.get(one) ?? one.document.name;
}

function report(
  outcomes: readonly DocumentOutcome[],
  receiver: WebhookReceiver,
  events: { complete: boolean; count: number; options: DemoOptions },
): void {
  process.stdout.write(`\n${documentsTable(outcomes)}\n\n`);
  process.stdout.write(
    `${documentsSummary(outcomes)}; ${events.count} webhooks received, ` +
      `${receiver.refused} with a bad signature; results in ${events.options.outputFolder}/\n`,
  );
  if (!events.complete) {
    throw new CliError('verification_failed', 'some webhooks did not arrive within 30 s');
  }
  if (receiver.refused > 0) {
    throw new CliError('verification_failed', 'a webhook had a bad signature');
  }
  if (outcomes.some((one) => one.verdict.startsWith('invalid') || one.others.includes('invalid'))) {
    throw new CliError('verification_failed', 'a signed document was not accepted: see the table');
  }
}
