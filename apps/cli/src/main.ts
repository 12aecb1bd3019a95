import { CodedError } from '@signfleet/errors';
import { Command, CommanderError } from 'commander';
import { auditCommand } from './commands/audit.ts';
import { demoCommand } from './commands/demo.ts';
import { hsmCommand } from './commands/hsm.ts';
import { keysCommand } from './commands/keys.ts';
import { statusCommand } from './commands/status.ts';
import { submitCommand } from './commands/submit.ts';
import { usersCommand } from './commands/users.ts';
import { CliError, exitCodes } from './error.ts';

const program = new Command('signfleet')
  .description('each user’s own digital signature on PDFs, every key guarded by one HSM')
  .option('--url <url>', 'the API (default: SIGNFLEET_URL, else the local stack)')
  .option('--api-key-file <file>', 'file with the API key (default: SIGNFLEET_API_KEY)')
  .option('--json', 'answer in JSON')
  .exitOverride()
  .showHelpAfterError('Run with --help for what is possible.')
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 unforeseen, 2 usage or not configured, 3 API unreachable, 4 refused,
5 verification failed, 6 some documents were not signed, 7 the local stack failed.`,
  );
for (const command of [
  demoCommand(),
  submitCommand(),
  statusCommand(),
  usersCommand(),
  keysCommand(),
  auditCommand(),
  hsmCommand(),
]) {
  program.addCommand(withExitOverride(command));
}

// A reader such as `head` that has seen enough is no error.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  if (cause.code === 'EPIPE') process.exit(0);
  throw cause;
});

try {
  await program.parseAsync();
} catch (cause) {
  if (cause instanceof CommanderError) {
    process.exitCode = cause.exitCode === 0 ? 0 : exitCodes.usage;
  } else {
    process.stderr.write(`signfleet: ${describe(cause)}\n`);
    process.exitCode = cause instanceof CliError ? exitCodes[cause.code] : 1;
  }
}

/** The message and code for what is foreseen; for the rest everything that helps to find it. */
function describe(cause: unknown): string {
  if (cause instanceof CodedError) return `${cause.message} (${String(cause.code)})`;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

/** Usage errors of every subcommand come here instead of ending the process. */
function withExitOverride(command: Command): Command {
  command.commands.forEach(withExitOverride);
  return command.exitOverride().showHelpAfterError('Run with --help for what is possible.');
}
