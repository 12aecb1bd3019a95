import type { Metafile } from 'esbuild';
import { expect, test } from 'vitest';
import { buildProcess } from '../build.ts';

/** Everything a bundle reaches: our own libraries by folder, packages by name. */
function reachOf({ inputs, outputs }: Metafile): Set<string> {
  const libraries = Object.keys(inputs).flatMap((path) => /^libs\/[^/]+/.exec(path) ?? []);
  const packages = Object.values(outputs)
    .flatMap((output) => output.imports)
    .filter((one) => one.external === true)
    .map(({ path }) => /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path);
  return new Set([...libraries, ...packages]);
}

const forbidden = ['libs/hsm', 'libs/pdf', 'libs/signpdf', 'libs/local-stack', 'pkcs11js', 'koffi'];

test('the API reaches neither the HSM nor PDFs', async () => {
  const reach = reachOf(await buildProcess('api', { write: false }));
  expect(forbidden.filter((name) => reach.has(name))).toEqual([]);
  expect([...reach]).toEqual(expect.arrayContaining(['libs/db', 'libs/jobs', 'fastify']));
});

test('the worker reaches both, and no local stack', async () => {
  const reach = reachOf(await buildProcess('worker', { write: false }));
  expect([...reach]).toEqual(expect.arrayContaining(['libs/hsm', 'libs/pdf', 'pkcs11js']));
  expect(reach.has('libs/local-stack')).toBe(false);
});
