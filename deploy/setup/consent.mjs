/** Whether setup may change this machine: decided purely, asked once on a terminal. */
import { createInterface } from 'node:readline/promises';
import { printable } from './decide.mjs';
import { REFUSED, SetupFailure } from './failure.mjs';

/**
 * `run`: go on without a question, `ask`: on the terminal, `refuse`: nobody is there to ask.
 *
 * @param {{ purpose: import('./programs.mjs').Purpose, yes: boolean, isTerminal: boolean, env: NodeJS.ProcessEnv }} given
 * @returns {'run' | 'ask' | 'refuse'}
 */
export function consentFor({ purpose, yes, isTerminal, env }) {
  if (yes || env['CI'] === 'true' || env['SLIPWAY_YES'] === '1') return 'run';
  if (isTerminal) return 'ask';
  return purpose === 'start' ? 'refuse' : 'run';
}

/**
 * Says what is missing and exactly what will be run.
 *
 * @param {import('./decide.mjs').Decision} decision
 * @param {{ isRoot: boolean }} who
 */
export function announcement(decision, who) {
  const programs = decision.missing.map((it) => it.program);
  const missing = programs.length === 0 ? [] : [`Not here yet: ${programs.join(', ')}.`];
  const commands = decision.commands.map((it) => `  ${printable(it, who)}`);
  return [
    ...missing,
    'Setting up this machine runs:',
    ...commands,
    ...decision.notes.map((it) => `  (${it})`),
    '',
  ].join('\n');
}

/**
 * Returns when setup may go on; otherwise a SetupFailure with exit code 4.
 *
 * @param {'run' | 'ask' | 'refuse'} consent
 * @param {AbortSignal} signal
 */
export async function obtainConsent(consent, signal) {
  if (consent === 'run') return;
  if (consent === 'refuse') {
    throw new SetupFailure('this would change the machine, and there is no terminal to ask on', {
      hint: 'Nothing was changed. Agree with: npm start -- --yes',
      exitCode: REFUSED,
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  terminal.on('SIGINT', () => terminal.close());
  const closed = new Promise((resolve) => terminal.once('close', () => resolve('no')));
  try {
    const answer = String(await Promise.race([terminal.question('Go on? [Y/n] ', { signal }), closed]));
    if (!/^\s*(y|yes|)\s*$/i.test(answer)) {
      throw new SetupFailure('stopped before anything was changed', { exitCode: REFUSED });
    }
  } finally {
    terminal.close();
  }
}
