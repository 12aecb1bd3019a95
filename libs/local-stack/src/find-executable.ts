import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { LocalStackError } from './error.ts';

/** Where service programs lie though a normal user's PATH leaves it out. */
const usualFolders = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/usr/bin',
];

/**
 * The full path of an installed program.
 *
 * @throws LocalStackError `executable_missing`.
 */
export async function findExecutable(name: string): Promise<string> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...usualFolders];
  for (const folder of folders.filter(Boolean)) {
    const path = join(folder, name);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  throw new LocalStackError('executable_missing', `${name} is not installed`, {
    details: { name },
  });
}
