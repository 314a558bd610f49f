'use strict';
// Reads what `jest --json` reports: which files failed, and how many tests passed and failed at last.
const { existsSync, readFileSync } = require('node:fs');
const { relative } = require('node:path');

const [command, ...paths] = process.argv.slice(2);
const [first, second] = paths.map((path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null));

/** Files with a failed test, and files that could not be run at all. */
const failedFiles = (report) => report.testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);

/** What came of one file: a file that could not be run counts as one failed test. */
function outcomes({ status, assertionResults }) {
  const count = (wanted) => assertionResults.filter((test) => test.status === wanted).length;
  const failed = count('failed');
  return { passed: count('passed'), failed: status === 'failed' && failed === 0 ? 1 : failed };
}

if (command === 'failed-files') {
  if (first) for (const name of failedFiles(first)) console.log(name);
} else if (command === 'count') {
  if (!first) {
    console.log('0 passed, 1 failed');
    process.exit();
  }
  const again = new Map((second?.testResults ?? []).map((result) => [result.name, result]));
  const last = first.testResults.map((result) => outcomes(again.get(result.name) ?? result));
  for (const name of failedFiles(first)) {
    if (again.get(name)?.status === 'passed')
      console.log(`Failed at first, passed when run once more: ${relative('', name)}`);
  }
  const sum = (key) => last.reduce((total, one) => total + one[key], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
} else throw new Error('test-report.cjs failed-files REPORT | count REPORT [SECOND_REPORT]');
