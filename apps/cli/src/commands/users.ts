import { Command } from 'commander';
import { connect, type ConnectionOptions } from '../connection.ts';
import { collectAll } from '../list-all.ts';
import { print, type OutputOptions } from '../output.ts';
import { userSchema, type User } from '../resources.ts';

type Options = ConnectionOptions & OutputOptions;
type NewUser = { email?: string; organization?: string; country?: string; externalId?: string };

const head = ['ID', 'NAME', 'EMAIL', 'EXTERNAL ID', 'CREATED'];
const row = (user: User) => [
  user.id,
  user.name,
  user.email ?? '',
  user.externalId ?? '',
  user.createdAt,
];

export function usersCommand(): Command {
  const command = new Command('users').description('people who sign');
  command
    .command('list')
    .description('list users')
    .action(async (_own: object, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const api = await connect(options);
      const users = await collectAll(api, { path: '/v1/users', item: userSchema });
      print(options, users, { head, rows: users.map(row) });
    });
  command
    .command('create')
    .description('create a user')
    .argument('<name>', 'common name in the certificate')
    .option('--email <address>')
    .option('--organization <name>')
    .option('--country <code>', 'ISO 3166-1 alpha-2, such as DE')
    .option('--external-id <id>', 'your own identifier, unique')
    .action(async (name: string, fields: NewUser, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const { email, organization, country, externalId } = fields;
      const api = await connect(options);
      const user = await api.call({
        method: 'POST',
        path: '/v1/users',
        body: { name, email, organization, country, externalId },
        schema: userSchema,
      });
      print(options, user, { head, rows: [row(user)] });
    });
  return command;
}
