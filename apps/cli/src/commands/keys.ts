import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { connect, type ConnectionOptions } from '../connection.ts';
import { enrolledKey } from '../enrolled-key.ts';
import { CliError } from '../error.ts';
import { findUser } from '../find-user.ts';
import { collectAll } from '../list-all.ts';
import { print, type OutputOptions } from '../output.ts';
import { keySchema, type Key } from '../resources.ts';

type Options = ConnectionOptions & OutputOptions;

const head = ['ID', 'USER', 'ALGORITHM', 'STATE', 'CERTIFICATE', 'ERROR'];
const row = (key: Key) => [
  key.id,
  key.userId,
  key.algorithm,
  key.state,
  key.certificateId ?? '',
  key.error === null ? '' : `${key.error.code}: ${key.error.message}`,
];

export function keysCommand(): Command {
  const command = new Command('keys').description("users' keys, generated inside the HSM");
  command
    .command('list')
    .description('list keys')
    .option('--user <user>', 'id or external id')
    .action(async (own: { user?: string }, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const api = await connect(options);
      const userId = own.user === undefined ? undefined : (await findUser(api, own.user)).id;
      const keys = await collectAll(api, { path: '/v1/keys', query: { userId }, item: keySchema });
      print(options, keys, { head, rows: keys.map(row) });
    });
  command.addCommand(createCommand()).addCommand(csrCommand()).addCommand(certifyCommand());
  return command;
}

function createCommand(): Command {
  return new Command('create')
    .description('have a key generated, wrapped and certified for a user')
    .argument('<user>', 'id or external id')
    .addOption(
      new Option('--algorithm <name>')
        .choices(['RSA-2048', 'RSA-3072', 'RSA-4096', 'P-256', 'P-384'])
        .default('P-256'),
    )
    .option('--csr', 'make a certification request for an outside CA', false)
    .action(async (user: string, own: { algorithm: string; csr: boolean }, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const api = await connect(options);
      const { id: userId } = await findUser(api, user);
      const certificateMode = own.csr ? 'csr' : 'builtin';
      const created = await api.call({
        method: 'POST',
        path: '/v1/keys',
        body: { userId, algorithm: own.algorithm, certificateMode },
        schema: z.object({ id: z.string() }),
      });
      const key = await enrolledKey(api, created.id);
      print(options, key, { head, rows: [row(key)] });
      if (key.state === 'failed') {
        throw new CliError('api_refused', `enrolment failed: ${key.error?.message ?? 'no reason'}`);
      }
    });
}

function csrCommand(): Command {
  return new Command('csr')
    .description('print the certification request of a key (PEM)')
    .argument('<key>', 'id')
    .action(async (id: string, _own: object, self: Command) => {
      const api = await connect(self.optsWithGlobals<Options>());
      const pem = await api.text({ path: `/v1/keys/${encodeURIComponent(id)}/csr` });
      process.stdout.write(pem);
    });
}

function certifyCommand(): Command {
  return new Command('certify')
    .description('import the chain that an outside CA issued for a key')
    .argument('<key>', 'id')
    .argument('<chain.pem>', 'the certificate, then its issuers up to the root')
    .action(async (id: string, file: string, _own: object, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const api = await connect(options);
      const certificate = await api.call({
        method: 'POST',
        path: '/v1/certificates',
        body: { keyId: id, pem: await readPem(file) },
        schema: z.object({ id: z.string(), subject: z.string(), notAfter: z.string() }),
      });
      print(options, certificate, {
        head: ['ID', 'SUBJECT', 'NOT AFTER'],
        rows: [[certificate.id, certificate.subject, certificate.notAfter]],
      });
    });
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CliError('usage', `cannot read ${file}: name a PEM file`, { cause });
  }
}
