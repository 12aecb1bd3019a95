import type { ObjectStatus, TokenStatus } from '@signfleet/hsm';
import { keyAlgorithms, parseKeyAlgorithm } from '@signfleet/pki';
import { Command, InvalidArgumentError, Option } from 'commander';
import { readable } from '../readable.ts';
import { print, renderTable, type OutputOptions } from '../output.ts';
import { requiredTokenAccess, type TokenOptions } from '../token-access.ts';

interface InitOptions extends TokenOptions {
  readonly folder: string;
  readonly caName: string;
  readonly caOrganization?: string;
  readonly caCountry?: string;
  readonly caAlgorithm: string;
  readonly caYears: number;
}

export function hsmCommand(): Command {
  return new Command('hsm')
    .description('key ceremony, for the operator at the HSM')
    .addCommand(initCommand())
    .addCommand(statusCommand());
}

function withTokenOptions(command: Command): Command {
  const options: readonly (readonly [string, string, string])[] = [
    ['--module <path>', 'PKCS#11 module (default: module-path of the URI)', 'HSM_MODULE'],
    ['--signing-token <uri>', 'RFC 7512 URI', 'HSM_SIGNING_TOKEN_URI'],
    ['--signing-pin-file <file>', 'default: pin-source of the URI', 'HSM_SIGNING_PIN_FILE'],
    ['--provisioning-token <uri>', 'RFC 7512 URI', 'HSM_PROVISIONING_TOKEN_URI'],
    ['--provisioning-pin-file <file>', 'likewise', 'HSM_PROVISIONING_PIN_FILE'],
  ];
  for (const [flags, description, variable] of options) {
    command.addOption(new Option(flags, description).env(variable));
  }
  return command;
}

function initCommand(): Command {
  return withTokenOptions(new Command('init'))
    .description('make KEK, enrolment key and CA on two empty tokens; refuses to overwrite')
    .requiredOption('--folder <folder>', 'where the report, the backup and the recovery key go')
    .option('--ca-name <text>', 'commonName of the built-in CA', 'signfleet CA')
    .option('--ca-organization <text>')
    .option('--ca-country <code>', 'ISO 3166-1 alpha-2')
    .addOption(new Option('--ca-algorithm <name>').choices([...keyAlgorithms]).default('P-384'))
    .option('--ca-years <count>', 'validity of the CA certificate', parseYears, 10)
    .action(async (options: InitOptions, self: Command) => {
      const { ceremonyFiles, performCeremony } = await import('../ceremony.ts');
      const report = await performCeremony({
        signing: requiredTokenAccess(options, 'signing'),
        provisioning: requiredTokenAccess(options, 'provisioning'),
        folder: options.folder,
        caName: {
          commonName: options.caName,
          ...(options.caOrganization === undefined ? {} : { organization: options.caOrganization }),
          ...(options.caCountry === undefined ? {} : { country: options.caCountry }),
        },
        caAlgorithm: parseKeyAlgorithm(options.caAlgorithm),
        caValidityYears: options.caYears,
      });
      printTokens(self.optsWithGlobals<OutputOptions>(), readable(report), [
        report.signing,
        report.provisioning,
      ]);
      process.stderr.write(
        `\nKEK ${report.keyEncryptionKeyId}, key check value ${report.keyEncryptionKeyCheckValue}; ` +
          `recovery key check value ${report.recoveryKeyCheckValue}\n` +
          `Move ${options.folder}/${ceremonyFiles.recoveryKey} off this machine now: ` +
          `with ${ceremonyFiles.backup} it opens every key.\n`,
      );
      warnIfUnlocked(report.securityLevel);
    });
}

function statusCommand(): Command {
  return withTokenOptions(new Command('status'))
    .description('read labels, ids and attributes back from the tokens, and try the lock')
    .action(async (given: TokenOptions, self: Command) => {
      const { readTokens } = await import('../read-tokens.ts'); // loads PKCS#11
      const statuses = await readTokens(given);
      printTokens(self.optsWithGlobals<OutputOptions>(), readable(statuses), statuses);
      for (const { securityLevel } of statuses) warnIfUnlocked(securityLevel);
    });
}

function printTokens(options: OutputOptions, json: unknown, statuses: readonly TokenStatus[]) {
  if (options.json === true) {
    print(options, json, { head: [], rows: [] });
    return;
  }
  for (const status of statuses) {
    const { label, manufacturer, model } = status.token;
    const level = status.securityLevel === undefined ? '' : `, KEK ${status.securityLevel}`;
    process.stdout.write(`token ${label} (${manufacturer} ${model}${level})\n`);
    const head = ['LABEL', 'CLASS', 'ID', 'CHECK VALUE', 'TRUE ATTRIBUTES'];
    process.stdout.write(`${renderTable(head, status.objects.map(objectRow))}\n\n`);
  }
}

function objectRow(object: ObjectStatus) {
  const set = Object.entries(object.attributes).filter(([, value]) => value === true);
  const names = set.map(([name]) => name.replace('CKA_', '')).join(' ');
  return [object.label, object.objectClass, object.id, object.keyCheckValue ?? '', names];
}

function warnIfUnlocked(level: TokenStatus['securityLevel']): void {
  if (level !== 'unlocked') return;
  process.stderr.write(
    'WARNING: this HSM does not enforce CKA_UNWRAP_TEMPLATE: whoever holds the PIN can take keys out.\n',
  );
}

function parseYears(text: string): number {
  const years = Number(text);
  if (Number.isInteger(years) && years >= 1 && years <= 50) return years;
  throw new InvalidArgumentError('give a whole number from 1 to 50');
}
