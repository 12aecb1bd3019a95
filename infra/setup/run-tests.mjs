import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChild } from './run-child.mjs';

/**
 * Runs vitest and closes with the line `N passed, N failed`. Resolves with 0 only if tests ran and
 * nothing failed: no test, no file that would not load, no error outside of the tests.
 */
export async function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'signfleet-tests-'));
  const countsFile = join(folder, 'counts.json');
  const reporters = ['--reporter=default', '--reporter=./infra/setup/counting-reporter.mjs'];
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args];
  const code = await runChild(process.execPath, vitest, { SIGNFLEET_TEST_COUNTS: countsFile });
  const { passed, failed } = readCounts(countsFile);
  rmSync(folder, { recursive: true, force: true });
  const succeeded = code === 0 && failed === 0 && passed > 0;
  console.log(`${passed} passed, ${failed} failed`);
  return succeeded ? 0 : code || 1;
}

/** A run that ended before it could count is one failure. */
function readCounts(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, failed: 1 };
  }
}
