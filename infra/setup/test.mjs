import { checkNodeVersion } from './check-node.mjs';

checkNodeVersion();
const { runMain } = await import('./failure.mjs');
const { prepare } = await import('./prepare.mjs');
const { runTests } = await import('./run-tests.mjs');

/** `--setup-only` prepares and runs nothing; everything else goes to vitest. */
await runMain(async () => {
  const args = process.argv.slice(2);
  await prepare({ tools: ['softhsm2', 'redis', 'pdfsig', 'qpdf', 'mutool', 'openssl'] });
  return args.includes('--setup-only') ? 0 : runTests(args);
});
