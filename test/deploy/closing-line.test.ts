/** The last line of `npm test` never looks better than the run was. */
import { expect, it } from 'vitest';
import { closingLine } from '../../deploy/closing-line.mjs';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((it) => ({ status: it })),
});

it('counts tests', () => {
  const testResults = [file('passed', 'passed', 'passed'), file('failed', 'passed', 'failed')];
  expect(closingLine({ numPassedTests: 3, numFailedTests: 1, testResults }, 1)).toBe('3 passed, 1 failed');
  expect(closingLine({ numPassedTests: 3, numFailedTests: 0, testResults: [] }, 0)).toBe('3 passed, 0 failed');
});

it('counts a file that could not be loaded as failed', () => {
  const testResults = [file('passed', 'passed'), file('failed')];
  expect(closingLine({ numPassedTests: 1, numFailedTests: 0, testResults }, 1)).toBe('1 passed, 1 failed');
});

it('never says 0 failed when vitest did not end with 0', () => {
  expect(closingLine({ numPassedTests: 5, numFailedTests: 0, testResults: [] }, 1)).toBe('5 passed, 1 failed');
  expect(closingLine(undefined, 130)).toBe('0 passed, 1 failed');
});
