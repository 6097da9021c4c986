/**
 * The programs that Slipway needs from the system, and the Debian package of each.
 *
 * First stage of setup; pure data and pure functions. Plain JavaScript without packages, like everything beside it:
 * it runs before `npm ci` has.
 */

/**
 * What the programs are for: running Slipway, its tests, or the bare-host proof.
 * @typedef {'start' | 'test' | 'bare'} Purpose
 */

/**
 * @typedef {object} Need
 * @property {string} program name on the PATH
 * @property {string} debianPackage
 * @property {readonly Purpose[]} purposes
 * @property {string} why shown to people who install by hand
 * @property {'no-engine' | 'app-armor'} [onlyIf] needed only where no Docker engine answers, or the kernel has AppArmor on as well
 */

/** The oldest versions that Slipway was tried on; dockerd stands for the engine, whoever runs it. */
export const OLDEST = /** @type {const} */ ({ 'nats-server': '2.9.10', haproxy: '2.6', dockerd: '20.10' });

/** @type {readonly Purpose[]} */
const ALWAYS = ['start', 'test', 'bare'];
/** @type {readonly Purpose[]} */
const TESTING = ['test', 'bare'];

/** @type {readonly Need[]} */
export const NEEDS = [
  { program: 'git', debianPackage: 'git', purposes: ALWAYS, why: 'fleet repositories' },
  {
    program: 'nats-server',
    debianPackage: 'nats-server',
    purposes: ALWAYS,
    why: `the store, version ${OLDEST['nats-server']} or newer`,
  },
  {
    program: 'haproxy',
    debianPackage: 'haproxy',
    purposes: ALWAYS,
    why: `the gateway, version ${OLDEST.haproxy} or newer`,
  },
  { program: 'nft', debianPackage: 'nftables', purposes: ALWAYS, why: 'keeps namespaces apart' },
  { program: 'ip', debianPackage: 'iproute2', purposes: ALWAYS, why: 'the bridge' },
  {
    program: 'iptables',
    debianPackage: 'iptables',
    purposes: ALWAYS,
    why: 'addresses of containers outside the machine',
  },
  {
    program: 'busybox',
    debianPackage: 'busybox-static',
    purposes: ALWAYS,
    why: 'the example image; statically linked',
  },
  {
    program: 'dockerd',
    debianPackage: 'docker.io',
    purposes: ALWAYS,
    why: `a Docker engine, version ${OLDEST.dockerd} or newer`,
    onlyIf: 'no-engine',
  },
  {
    program: 'apparmor_parser',
    debianPackage: 'apparmor',
    purposes: ALWAYS,
    // docker.io only recommends it; with AppArmor in the kernel and no parser, every container start fails.
    why: 'Docker loads its profile with it',
    onlyIf: 'app-armor',
  },
  { program: 'docker', debianPackage: 'docker-cli', purposes: TESTING, why: 'tests look at containers with it' },
  {
    program: 'ssh-keygen',
    debianPackage: 'openssh-client',
    purposes: TESTING,
    why: 'tests have it check the signatures of releases',
  },
  { program: 'debootstrap', debianPackage: 'debootstrap', purposes: ['bare'], why: 'makes the bare host' },
];

/**
 * The Debian package that holds the program on this distribution.
 *
 * The command line left docker.io with Debian 13; before, and on Ubuntu 24.04, it is part of docker.io.
 *
 * @param {Need} need
 * @param {{ id: string, version: string }} distribution ID and VERSION_ID of os-release
 */
export function packageOf(need, distribution) {
  if (need.debianPackage !== 'docker-cli') return need.debianPackage;
  const split = distribution.id === 'debian' && !(Number.parseInt(distribution.version, 10) < 13);
  return split ? 'docker-cli' : 'docker.io';
}

/** Services that the packages start on their own and that Slipway runs as children of its own instead. */
export const UNWANTED_SERVICES = /** @type {const} */ ({
  'nats-server': 'nats-server.service',
  haproxy: 'haproxy.service',
});
