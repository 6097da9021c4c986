/** Variables of a command line: what is taken, what is refused. */
import { expect, it } from 'vitest';
import { refuseVariables, variablesOf } from '../../cli/variables.ts';

const given = (...texts: readonly string[]) => ({ options: { var: texts } });

it('takes everything after the first = as the value, and the last of two', () => {
  expect(variablesOf(given('A=b=c', 'EMPTY=', 'A=d'))).toEqual({ A: 'd', EMPTY: '' });
  expect(variablesOf({ options: {} })).toEqual({});
});

it.each(['A', '=b', '1A=b', 'A B=c'])('refuses %s without repeating what may be a secret', (text) => {
  expect(() => variablesOf(given(text))).toThrow('--var wants NAME=VALUE, like --var REGION=eu');
});

it('lets nothing from a command line into what git says', () => {
  expect(() => refuseVariables(given('A=b'))).toThrow(expect.objectContaining({ code: 'USAGE' }));
  expect(() => refuseVariables(given())).not.toThrow();
});
