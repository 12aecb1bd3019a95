import { writeFileSync } from 'node:fs';

/** Counts tests for the closing line; a file that fails outside of its tests counts as one failure. */
export default class CountingReporter {
  onTestRunEnd(modules, unhandledErrors) {
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      const inTests = [...module.children.allTests()].map((test) => test.result().state);
      const failedTests = inTests.filter((state) => state === 'failed').length;
      passed += inTests.filter((state) => state === 'passed').length;
      failed += failedTests;
      if (module.state() === 'failed' && failedTests === 0) failed += 1;
    }
    writeFileSync(process.env.SIGNFLEET_TEST_COUNTS, JSON.stringify({ passed, failed }));
  }
}
