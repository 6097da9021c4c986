/**
 * What is missing → the commands that bring it. Pure: same facts, same commands.
 *
 * machine.mjs reads the facts, consent.mjs asks, perform.mjs runs what stands here.
 */
import { NEEDS, packageOf, UNWANTED_SERVICES } from './programs.mjs';

/**
 * @typedef {import('./programs.mjs').Purpose} Purpose
 * @typedef {import('./programs.mjs').Need} Need
 */

/**
 * @typedef {object} Facts
 * @property {boolean} isRoot
 * @property {{ id: string, version: string, name: string }} distribution
 * @property {boolean} hasApt
 * @property {boolean} hasSudo
 * @property {boolean} hasServiceManager systemd runs this machine
 * @property {boolean} hasAppArmor the kernel enforces AppArmor
 * @property {ReadonlySet<string>} programs those of NEEDS that are there and fit
 * @property {boolean} hasBusyboxPackage the dynamically linked busybox, which busybox-static replaces
 * @property {'ready' | 'denied' | 'absent'} engine what the Docker socket says; denied: root may
 * @property {readonly string[]} dockerdArguments what a dockerd of our own would be started with here
 * @property {boolean} hasNpmPackages node_modules holds what package-lock.json lists
 */

/**
 * @typedef {object} Command
 * @property {'npm-packages' | 'package-lists' | 'packages' | 'services' | 'engine'} does
 * @property {readonly string[]} argv
 * @property {boolean} asRoot
 */

/**
 * @typedef {object} Decision
 * @property {readonly Need[]} missing
 * @property {readonly string[]} packages Debian packages to install
 * @property {readonly Command[]} commands in the order in which they run
 * @property {readonly string[]} notes side effects that the commands do not show
 * @property {string | undefined} impossible why setup cannot do it here
 */

/** Environment of apt: no questions, and no service of somebody else is restarted for our packages. */
const APT_ENV = ['env', 'DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_SUSPEND=1', 'LC_ALL=C.UTF-8'];
/** dpkg itself waits this long for another package manager. */
const DPKG_WAIT = 'DPkg::Lock::Timeout=600';

/**
 * Everything that has to be done before Slipway can be used for the purpose; no commands: all is there.
 *
 * @param {Facts} facts
 * @param {Purpose} purpose
 * @returns {Decision}
 */
export function decide(facts, purpose) {
  const missing = NEEDS.filter((need) => isMissing(need, facts, purpose));
  const packages = [...new Set(missing.map((need) => packageOf(need, facts.distribution)))].toSorted();
  const commands = [...npmPackages(facts), ...systemPackages(facts, packages), ...engine(facts)];
  const notes =
    packages.includes('busybox-static') && facts.hasBusyboxPackage
      ? ['busybox-static replaces the package busybox']
      : [];
  return { missing, packages, commands, notes, impossible: whyImpossible(facts, missing, commands) };
}

/** @param {Need} need @param {Facts} facts @param {Purpose} purpose */
function isMissing(need, facts, purpose) {
  if (!need.purposes.includes(purpose) || facts.programs.has(need.program)) return false;
  if (need.onlyIf === 'no-engine') return facts.engine === 'absent';
  if (need.onlyIf === 'app-armor') return facts.engine === 'absent' && facts.hasAppArmor;
  return true;
}

/** @param {Facts} facts @returns {Command[]} */
function npmPackages(facts) {
  if (facts.hasNpmPackages) return [];
  // No package of ours needs its install script: binaries come as packages of their own.
  const argv = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  return [{ does: 'npm-packages', argv, asRoot: false }];
}

/** @param {Facts} facts @param {readonly string[]} packages @returns {Command[]} */
function systemPackages(facts, packages) {
  if (packages.length === 0) return [];
  const install = ['install', '-y', '--no-install-recommends', '-o', DPKG_WAIT, '--', ...packages];
  const unwanted = Object.entries(UNWANTED_SERVICES).flatMap(([name, unit]) => (packages.includes(name) ? [unit] : []));
  /** @type {Command[]} */
  const commands = [
    { does: 'package-lists', argv: [...APT_ENV, 'apt-get', 'update'], asRoot: true },
    { does: 'packages', argv: [...APT_ENV, 'apt-get', ...install], asRoot: true },
  ];
  if (facts.hasServiceManager && unwanted.length > 0) {
    commands.push({ does: 'services', argv: ['systemctl', 'disable', '--now', ...unwanted], asRoot: true });
  }
  return commands;
}

/** @param {Facts} facts @returns {Command[]} */
function engine(facts) {
  if (facts.engine !== 'absent') return [];
  const argv = facts.hasServiceManager
    ? ['systemctl', 'start', 'docker.service']
    : ['dockerd', ...facts.dockerdArguments];
  return [{ does: 'engine', argv, asRoot: true }];
}

/** @param {Facts} facts @param {readonly Need[]} missing @param {readonly Command[]} commands */
function whyImpossible(facts, missing, commands) {
  if (missing.length > 0 && !facts.hasApt) {
    const list = missing.map((need) => `${need.program} (${need.why})`).join(', ');
    return `${facts.distribution.name} has no apt-get: install these by hand and run this again: ${list}`;
  }
  if (!facts.isRoot && !facts.hasSudo && commands.some((it) => it.asRoot)) {
    return 'this needs root: run it as root, or install sudo';
  }
  return undefined;
}

/**
 * A command as a person would type it.
 *
 * @param {Command} command
 * @param {{ isRoot: boolean }} who
 */
export function printable(command, { isRoot }) {
  const words = command.asRoot && !isRoot ? ['sudo', ...command.argv] : command.argv;
  const background = command.argv[0] === 'dockerd' ? '   # in the background' : '';
  return words.join(' ') + background;
}
