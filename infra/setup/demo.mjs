import { checkNodeVersion } from './check-node.mjs';

checkNodeVersion();
const { runMain } = await import('./failure.mjs');
const { prepare } = await import('./prepare.mjs');
const { runChild } = await import('./run-child.mjs');

await runMain(async () => {
  await prepare({ tools: ['softhsm2'] });
  const command = ['--import', 'tsx', 'apps/cli/src/main.ts', 'demo', ...process.argv.slice(2)];
  return runChild(process.execPath, command);
});
