/** What the npm scripts share: their arguments, the checkout, ending on a signal, going on as root. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchOnTerminal } from './launch.mjs';
import { SetupFailure } from './setup/failure.mjs';
import { setUp } from './setup/setup.mjs';

/** The checkout. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const OLDEST_NODE = { major: 20, minor: 19 };

/** Variables that mean the same after sudo. */
const KEPT_BY_SUDO =
  'CI DOCKER_HOST SLIPWAY_STATE_DIR NO_COLOR FORCE_COLOR NODE_EXTRA_CA_CERTS http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY'.split(
    ' ',
  );

/**
 * Splits our own flags from the arguments that belong to the program behind the script.
 *
 * @param {readonly string[]} args
 */
export function parseArguments(args) {
  const isYes = (/** @type {string} */ it) => it === '--yes' || it === '-y';
  return { yes: args.some(isYes), rest: args.filter((it) => !isYes(it)) };
}

/**
 * Makes the machine ready; a SetupFailure with code 130 after Ctrl-C.
 *
 * @param {{ purpose: import('./setup/programs.mjs').Purpose, yes: boolean }} given
 */
export async function prepare({ purpose, yes }) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE.major || (major === OLDEST_NODE.major && minor < OLDEST_NODE.minor)) {
    throw new SetupFailure(`Node ${process.versions.node} is too old`, { hint: 'Slipway needs Node 20.19 or newer.' });
  }
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);
  try {
    await setUp({ root: ROOT, purpose, yes, env: process.env, say, signal: interrupt.signal });
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    throw new SetupFailure('stopped', { exitCode: 130, hint: 'What is done stays done; run it again to go on.' });
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/**
 * Runs the script again as root; undefined: we are root already.
 *
 * @param {string} script path in the checkout
 * @param {readonly string[]} args
 * @returns {Promise<number | undefined>} its exit code
 */
export async function asRoot(script, args) {
  if (process.getuid?.() === 0) return undefined;
  const kept = KEPT_BY_SUDO.filter((it) => process.env[it] !== undefined);
  const keep = kept.length === 0 ? [] : [`--preserve-env=${kept.join(',')}`];
  const argv = ['sudo', ...keep, '--', process.execPath, script, ...args, '--yes'];
  process.stderr.write(`→ ${argv.join(' ')}\n`);
  return await launchOnTerminal({ argv, cwd: ROOT, env: process.env });
}
