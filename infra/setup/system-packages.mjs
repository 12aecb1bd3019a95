import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { hasProgram, runChild } from './run-child.mjs';

/** Folders of programs that a normal user's PATH may leave out. */
const programFolders = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];

/** Programs that must be there, and the package that brings each, by package manager. */
const tools = {
  softhsm2: {
    programs: ['softhsm2-util'],
    packages: {
      'apt-get': 'softhsm2',
      dnf: 'softhsm',
      apk: 'softhsm',
      brew: 'softhsm',
      pacman: 'softhsm',
    },
  },
  redis: {
    programs: ['redis-server', 'valkey-server'],
    packages: {
      'apt-get': 'redis-server',
      dnf: 'redis',
      apk: 'redis',
      brew: 'redis',
      pacman: 'redis',
    },
  },
  pdfsig: {
    programs: ['pdfsig'],
    packages: {
      'apt-get': 'poppler-utils',
      dnf: 'poppler-utils',
      apk: 'poppler-utils',
      brew: 'poppler',
      pacman: 'poppler',
    },
  },
  qpdf: {
    programs: ['qpdf'],
    packages: { 'apt-get': 'qpdf', dnf: 'qpdf', apk: 'qpdf', brew: 'qpdf', pacman: 'qpdf' },
  },
  mutool: {
    programs: ['mutool'],
    packages: {
      'apt-get': 'mupdf-tools',
      dnf: 'mupdf',
      apk: 'mupdf-tools',
      brew: 'mupdf-tools',
      pacman: 'mupdf-tools',
    },
  },
  openssl: {
    programs: ['openssl'],
    packages: {
      'apt-get': 'openssl',
      dnf: 'openssl',
      apk: 'openssl',
      brew: 'openssl',
      pacman: 'openssl',
    },
  },
  // For pkcs11js, the one npm package that is compiled on installation.
  'C++ compiler': {
    programs: ['c++', 'g++', 'clang++'],
    packages: { 'apt-get': 'g++', dnf: 'gcc-c++', apk: 'g++', brew: 'llvm', pacman: 'gcc' },
  },
  make: {
    programs: ['make', 'gmake'],
    packages: { 'apt-get': 'make', dnf: 'make', apk: 'make', brew: 'make', pacman: 'make' },
  },
  python3: {
    programs: ['python3', 'python'],
    packages: {
      'apt-get': 'python3',
      dnf: 'python3',
      apk: 'python3',
      brew: 'python3',
      pacman: 'python',
    },
  },
};

/** How each package manager installs without asking, and how it refreshes its lists. */
const managers = {
  'apt-get': {
    // RUNLEVEL=1: a service that a package brings is not started system-wide; we start our own.
    environment: ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'],
    install: ['apt-get', 'install', '-y', '-q', '--no-install-recommends'],
    refresh: ['apt-get', 'update', '-q'],
    hasLists: () =>
      existsSync('/var/lib/apt/lists') &&
      readdirSync('/var/lib/apt/lists').some(
        (name) => name.endsWith('Packages') || /Packages\./.test(name),
      ),
  },
  dnf: { install: ['dnf', 'install', '-y', '-q'] },
  apk: { install: ['apk', 'add', '--no-cache'] },
  pacman: { install: ['pacman', '-S', '--needed', '--noconfirm'], refresh: ['pacman', '-Sy'] },
  brew: { install: ['brew', 'install'], asUser: true },
};

/** What pkcs11js needs to be compiled. */
export const compilerTools = ['C++ compiler', 'make', 'python3'];

function isInstalled(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...programFolders];
  return tools[name].programs.some((program) =>
    folders.some((folder) => folder !== '' && existsSync(join(folder, program))),
  );
}

/** Installs what is missing of the tools named. Throws a SetupFailure that says what to run if it cannot. */
export async function ensureTools(names) {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const manager = Object.keys(managers).find((name) => hasProgram(name));
  if (manager === undefined) {
    throw new SetupFailure(
      `please install ${missing.join(', ')} (no apt-get, dnf, apk, pacman or brew found to do it).`,
    );
  }
  const { install, refresh, hasLists, environment = [], asUser = false } = managers[manager];
  const packages = missing.map((name) => tools[name].packages[manager]);
  const isRoot = process.getuid?.() === 0;
  const byHand = [...(isRoot || asUser ? [] : ['sudo']), ...install, ...packages].join(' ');
  const impossible = (why) => new SetupFailure(`${why}; please run: ${byHand}`);
  const elevate = isRoot || asUser ? [] : ['sudo', ...(process.stdin.isTTY ? [] : ['-n'])];
  if (elevate.length > 0 && !hasProgram('sudo')) {
    throw impossible(`${missing.join(', ')} missing, and there is no sudo to install it with`);
  }
  const attempt = async (command) => {
    const [program, ...args] = [...elevate, 'env', ...environment, ...command];
    return (await runChild(program, args)) === 0;
  };
  console.error(`signfleet: installing ${packages.join(' ')} with ${manager}`);
  if (refresh !== undefined && hasLists?.() === false) await attempt(refresh);
  let done = await attempt([...install, ...packages]);
  if (!done && refresh !== undefined) {
    done = (await attempt(refresh)) && (await attempt([...install, ...packages]));
  }
  const lacking = missing.filter((name) => !isInstalled(name));
  if (!done || lacking.length > 0) {
    throw impossible(`${manager} could not install ${lacking.join(', ') || missing.join(', ')}`);
  }
}
