import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { CliError } from './error.ts';

/** A file to be signed and the name it has in the table and, with a suffix, in the output folder. */
export interface SourceDocument {
  readonly path: string;
  readonly name: string;
}

/**
 * Every file named, and every file below each folder named, hidden ones left out. Files that are no
 * PDF stay in: the person asked for them and gets a reason for each.
 */
export async function collectDocuments(paths: readonly string[]): Promise<SourceDocument[]> {
  const found: SourceDocument[] = [];
  for (const path of paths) {
    const entry = await statOrThrow(path);
    if (entry.isDirectory()) found.push(...(await below(path)));
    else found.push({ path, name: basename(path) });
  }
  if (found.length === 0) throw new CliError('usage', `no files in ${paths.join(', ')}`);
  return found;
}

async function statOrThrow(path: string) {
  try {
    return await stat(path);
  } catch (cause) {
    throw new CliError('usage', `cannot read ${path}: name a file or a folder`, { cause });
  }
}

async function below(folder: string): Promise<SourceDocument[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !relative(folder, path)
          .split('/')
          .some((part) => part.startsWith('.')),
    )
    .sort()
    .map((path) => ({ path, name: relative(folder, path) }));
}
