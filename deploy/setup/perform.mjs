/** Carries out the commands that were decided and agreed to. */
import { printable } from './decide.mjs';
import { startOwnEngine, untilEngineAnswers } from './engine.mjs';
import { SetupFailure } from './failure.mjs';
import { capture, runToEnd } from './run.mjs';

/**
 * @typedef {object} Performance
 * @property {import('./decide.mjs').Decision} decision
 * @property {import('./decide.mjs').Facts} facts
 * @property {string} root the checkout
 * @property {NodeJS.ProcessEnv} env
 * @property {(line: string) => void} say
 * @property {AbortSignal} signal
 */

/**
 * Runs every command in order; the first failure ends it as a SetupFailure.
 *
 * @param {Performance} given
 */
export async function perform(given) {
  for (const command of given.decision.commands) await HANDLERS[command.does](command, given);
}

/** @type {Record<import('./decide.mjs').Command['does'], (command: import('./decide.mjs').Command, given: Performance) => Promise<void>>} */
const HANDLERS = {
  'npm-packages': npmPackages,
  'package-lists': packageLists,
  packages: plain,
  services: plain,
  engine,
};

/** @type {(command: import('./decide.mjs').Command, given: Performance) => Promise<void>} */
async function plain(command, { facts, root, say, signal }) {
  const argv = command.asRoot && !facts.isRoot ? ['sudo', ...command.argv] : command.argv;
  await runToEnd({ argv, shown: printable(command, facts), cwd: root, say, signal });
}

/** npm under npm: the very one that started us, which need not be on the PATH. @type {typeof plain} */
async function npmPackages(command, { facts, root, env, say, signal }) {
  const npm = env['npm_execpath'];
  const argv = npm === undefined ? command.argv : [process.execPath, npm, ...command.argv.slice(1)];
  await runToEnd({ argv, shown: printable(command, facts), cwd: root, say, signal });
}

/** A list that cannot be read is a warning while the packages are known: somebody else's source may be broken. @type {typeof plain} */
async function packageLists(command, given) {
  /** @type {SetupFailure | undefined} */
  let failed;
  try {
    await plain(command, given);
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    failed = error;
  }
  const { packages } = given.decision;
  const argv = ['env', 'LC_ALL=C.UTF-8', 'apt-cache', 'policy', '--', ...packages];
  const unknown = withoutCandidate(
    (await capture({ argv, cwd: given.root, signal: given.signal, say: given.say })).output,
    packages,
  );
  if (unknown.length === 0) {
    if (failed !== undefined) given.say('  not every list could be read; the packages needed are known, so going on');
    return;
  }
  if (failed !== undefined) throw failed;
  const { name, id } = given.facts.distribution;
  throw new SetupFailure(`${name}: apt knows no package ${unknown.join(', ')}`, {
    hint:
      id === 'ubuntu'
        ? 'Enable the universe component (sudo add-apt-repository universe), or install the program by hand so that it is on the PATH.'
        : 'Slipway wants Debian 12 or Ubuntu 24.04, or newer. Or install the program by hand so that it is on the PATH.',
  });
}

/**
 * Those of the packages that apt could not install, from the output of `apt-cache policy` in English.
 *
 * @param {string} policy
 * @param {readonly string[]} packages
 */
export function withoutCandidate(policy, packages) {
  const rows = [...policy.matchAll(/^(\S+):\n {2}Installed: .*\n {2}Candidate: (.*)$/gm)];
  const known = new Set(rows.flatMap(([, name, candidate]) => (candidate === '(none)' ? [] : [name])));
  return packages.filter((it) => !known.has(it));
}

/** @type {typeof plain} */
async function engine(command, given) {
  const { facts, env, say, signal } = given;
  if (facts.hasServiceManager) {
    await plain(command, given);
    if (facts.isRoot) await untilEngineAnswers({ env, signal, say, shown: printable(command, facts) });
    return;
  }
  // Whoever is not root goes on as root in a second process, and that one finds the engine still missing.
  if (facts.isRoot) await startOwnEngine({ argv: command.argv, env, say, signal });
}
