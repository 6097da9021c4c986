/** The last line of `npm test`, from what vitest's JSON reporter wrote. Pure. */

/**
 * @typedef {object} Report
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {readonly { status: string, assertionResults: readonly { status: string }[] }[]} testResults one a file
 */

/**
 * `N passed, N failed`. A file that could not be loaded, and an error outside of any test, count as failed: the line
 * says 0 failed only if vitest ended with 0.
 *
 * @param {Report | undefined} report undefined: vitest ended before it wrote one
 * @param {number} exitCode
 */
export function closingLine(report, exitCode) {
  const broken = (report?.testResults ?? []).filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((it) => it.status === 'failed'),
  );
  const failed = (report?.numFailedTests ?? 0) + broken.length;
  return `${report?.numPassedTests ?? 0} passed, ${failed === 0 && exitCode !== 0 ? 1 : failed} failed`;
}
