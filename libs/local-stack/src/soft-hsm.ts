import { spawn } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LocalStackError } from './error.ts';
import { findExecutable } from './find-executable.ts';

/** Where Debian and Ubuntu, Fedora, Alpine, Arch and Homebrew put SoftHSM2's PKCS#11 module. */
const modulePaths = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/lib64/libsofthsm2.so',
  '/usr/lib/pkcs11/libsofthsm2.so',
  '/usr/lib/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

/** A token to initialize. */
export interface TokenOptions {
  readonly label: string;
  readonly soPin: string;
  readonly pin: string;
}

/** A SoftHSM2 with a token folder of its own. */
export interface SoftHsm {
  /** The PKCS#11 module to load. */
  readonly modulePath: string;
  /** What `SOFTHSM2_CONF` must name in each process that loads the module. */
  readonly configPath: string;
  /** Labels of the initialized tokens. */
  tokenLabels(): Promise<string[]>;
  /** @throws LocalStackError `token_exists` if a token of this label is there already. */
  initToken(options: TokenOptions): Promise<void>;
}

/** The path of the installed SoftHSM2 module: `SOFTHSM2_MODULE`, or the usual places. */
export async function findSoftHsmModule(): Promise<string> {
  const wanted = process.env['SOFTHSM2_MODULE'];
  for (const path of wanted === undefined ? modulePaths : [wanted]) {
    try {
      await access(path);
      return path;
    } catch {
      continue;
    }
  }
  throw new LocalStackError('executable_missing', 'libsofthsm2.so is not installed', {
    details: { name: 'softhsm2' },
  });
}

/**
 * Prepares a private SoftHSM2 in `directory`; tokens that are there already stay.
 *
 * @throws LocalStackError `executable_missing` if SoftHSM2 is not installed.
 */
export async function createSoftHsm(options: { readonly directory: string }): Promise<SoftHsm> {
  const directory = resolve(options.directory);
  const tokenFolder = join(directory, 'tokens');
  const configPath = join(directory, 'softhsm2.conf');
  const [modulePath, program] = await Promise.all([
    findSoftHsmModule(),
    findExecutable('softhsm2-util'),
  ]);
  await mkdir(tokenFolder, { recursive: true, mode: 0o700 });
  const config = `directories.tokendir = ${tokenFolder}\nobjectstore.backend = file\nlog.level = ERROR\n`;
  await writeFile(configPath, config, { mode: 0o600 });

  const run = (args: string[]): Promise<string> =>
    output(program, args, { ...process.env, SOFTHSM2_CONF: configPath });
  const tokenLabels = async (): Promise<string[]> => {
    const slots = await run(['--show-slots']);
    return [...slots.matchAll(/^\s*Label:[ \t]*(\S.*?)[ \t]*$/gm)].map(([, label]) => label ?? '');
  };
  return {
    modulePath,
    configPath,
    tokenLabels,
    initToken: async ({ label, soPin, pin }) => {
      if ((await tokenLabels()).includes(label)) {
        throw new LocalStackError('token_exists', `the token ${label} is initialized already`);
      }
      await run(['--init-token', '--free', '--label', label, '--so-pin', soPin, '--pin', pin]);
    },
  };
}

function output(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((done, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    let complaint = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) done(text);
      else
        reject(
          new LocalStackError('command_failed', `softhsm2-util ${args[0] ?? ''}: ${complaint}`),
        );
    });
  });
}
