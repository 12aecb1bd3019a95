import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectDocuments } from '../src/collect-documents.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signfleet-collect-'));
});

afterEach(() => rm(folder, { recursive: true }));

test('takes named files as they are and whole folders without hidden files, in order', async () => {
  await mkdir(join(folder, 'sub', '.git'), { recursive: true });
  for (const name of ['b.pdf', 'a.pdf', '.hidden', 'sub/notes.txt', 'sub/.git/config']) {
    await writeFile(join(folder, name), 'x');
  }
  const found = await collectDocuments([join(folder, 'b.pdf'), folder]);
  expect(found.map((document) => document.name)).toEqual([
    'b.pdf',
    'a.pdf',
    'b.pdf',
    'sub/notes.txt',
  ]);
});

test('names the path that cannot be read', async () => {
  const missing = join(folder, 'missing.pdf');
  await expect(collectDocuments([missing])).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('missing.pdf') as unknown,
  });
});

test('refuses a folder without files', async () => {
  await expect(collectDocuments([folder])).rejects.toMatchObject({ code: 'usage' });
});
