import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { root, runChild } from './run-child.mjs';
import { compilerTools, ensureTools } from './system-packages.mjs';

/**
 * Prisma's commands look for a native engine and would download it. Nothing here uses it (the
 * client works without, migrations go through the WebAssembly build), so any existing file will do.
 */
export const noEngineDownload = { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };

const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** Whether node_modules holds exactly what the lockfile names for this platform. */
function isInstalled() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const wanted = readJson('package-lock.json').packages;
  const present = readJson('node_modules/.package-lock.json').packages;
  return Object.entries(wanted).every(([path, { version, link, optional }]) => {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return true;
    const found = present[path];
    if (found === undefined) return optional === true;
    return link === true ? found.link === true : found.version === version;
  });
}

const hasAddon = () => existsSync(join(root, 'node_modules/pkcs11js/build/Release/pkcs11.node'));

async function npm(args) {
  const script = process.env.npm_execpath;
  const headers = dirname(dirname(process.execPath)); // so that node-gyp needs no download either
  const env = {
    ...noEngineDownload,
    ...(existsSync(join(headers, 'include/node/node_api.h')) && !process.env.npm_config_nodedir
      ? { npm_config_nodedir: headers }
      : {}),
  };
  const quiet = ['--no-fund', '--no-audit', '--no-progress', '--loglevel=error'];
  return script?.endsWith('.js') === true
    ? runChild(process.execPath, [script, ...args, ...quiet], env)
    : runChild('npm', [...args, ...quiet], env);
}

/** Installs the npm packages if they are missing or not those of the lockfile. */
export async function ensureNpmPackages() {
  if (isInstalled() && hasAddon()) return;
  await ensureTools(compilerTools);
  if (!isInstalled()) {
    console.error('signfleet: installing npm packages');
    if ((await npm(['ci'])) !== 0) throw new SetupFailure('npm ci failed (see above).');
  }
  if (!hasAddon() && (await npm(['rebuild', 'pkcs11js'])) !== 0) {
    throw new SetupFailure('pkcs11js could not be compiled (see above).');
  }
}
