/** What setup decides: missing things become commands, and nothing else is run. */
import { expect, it } from 'vitest';
import { decide, type Facts, printable } from '../../deploy/setup/decide.mjs';
import { NEEDS } from '../../deploy/setup/programs.mjs';

const BOOKWORM = { id: 'debian', version: '12', name: 'Debian GNU/Linux 12 (bookworm)' };

/** A machine that has everything, except what the test takes away. */
function machine(without: readonly string[] = [], facts: Partial<Facts> = {}): Facts {
  return {
    isRoot: true,
    distribution: BOOKWORM,
    hasApt: true,
    hasSudo: true,
    hasServiceManager: true,
    hasAppArmor: false,
    programs: new Set(NEEDS.map((need) => need.program).filter((program) => !without.includes(program))),
    hasBusyboxPackage: false,
    engine: 'ready',
    dockerdArguments: [],
    hasNpmPackages: true,
    ...facts,
  };
}

function lines(facts: Facts, purpose: 'start' | 'test' | 'bare' = 'start'): string[] {
  return decide(facts, purpose).commands.map((command) => printable(command, facts));
}

it('does nothing on a machine that has everything', () => {
  for (const purpose of ['start', 'test', 'bare'] as const) {
    expect(decide(machine(), purpose)).toMatchObject({ missing: [], packages: [], commands: [] });
  }
});

it('installs npm packages, only the missing Debian packages, and an engine on a fresh machine with systemd', () => {
  const facts = machine(
    NEEDS.map((need) => need.program).filter((program) => program !== 'git' && program !== 'ip'),
    { engine: 'absent', hasNpmPackages: false },
  );
  const apt = 'env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C.UTF-8 apt-get';
  expect(lines(facts)).toEqual([
    'npm ci --ignore-scripts --no-audit --no-fund',
    `${apt} update`,
    `${apt} install -y --no-install-recommends -o DPkg::Lock::Timeout=600 -- busybox-static docker.io haproxy iptables nats-server nftables`,
    'systemctl disable --now nats-server.service haproxy.service',
    'systemctl start docker.service',
  ]);
});

it('starts dockerd itself only where there is no service manager and no engine answers', () => {
  expect(lines(machine([], { hasServiceManager: false, engine: 'absent' }))).toEqual(['dockerd   # in the background']);
  const inContainer = { hasServiceManager: false, engine: 'absent', dockerdArguments: ['--cgroup-parent=/a'] } as const;
  expect(lines(machine([], inContainer))).toEqual(['dockerd --cgroup-parent=/a   # in the background']);
  expect(lines(machine([], { hasServiceManager: false, engine: 'ready' }))).toEqual([]);
  expect(lines(machine([], { hasServiceManager: true, engine: 'absent' }))).toEqual(['systemctl start docker.service']);
});

it('leaves services alone that were on the machine before', () => {
  expect(lines(machine(['nft'])).join('\n')).not.toContain('systemctl');
  expect(lines(machine(['haproxy'])).at(-1)).toBe('systemctl disable --now haproxy.service');
});

it('uses sudo for what needs root, and only when not root', () => {
  const missing = { hasNpmPackages: false, isRoot: false };
  expect(lines(machine(['nft'], missing)).map((line) => line.split(' ')[0])).toEqual(['npm', 'sudo', 'sudo']);
  expect(lines(machine(['nft'], { ...missing, isRoot: true })).join('\n')).not.toContain('sudo');
});

it('does not want a dockerd where an engine answers, also one that only root may talk to', () => {
  expect(decide(machine(['dockerd'], { engine: 'ready' }), 'start').packages).toEqual([]);
  expect(decide(machine(['dockerd'], { engine: 'denied', isRoot: false }), 'start').packages).toEqual([]);
  expect(decide(machine(['dockerd'], { engine: 'absent' }), 'start').packages).toEqual(['docker.io']);
});

it('installs the AppArmor parser with Docker where the kernel has AppArmor on', () => {
  const without = ['dockerd', 'apparmor_parser'];
  expect(decide(machine(without, { engine: 'absent', hasAppArmor: true }), 'start').packages).toContain('apparmor');
  expect(decide(machine(without, { engine: 'absent' }), 'start').packages).not.toContain('apparmor');
  expect(decide(machine(without, { hasAppArmor: true }), 'start').packages).toEqual([]);
});

it('installs what only tests need for tests only', () => {
  const facts = machine(['docker', 'debootstrap']);
  expect(decide(facts, 'start').packages).toEqual([]);
  expect(decide(facts, 'test').packages).toEqual(['docker.io']);
  expect(decide(facts, 'bare').packages).toEqual(['debootstrap', 'docker.io']);
});

it.each([
  ['debian', '12', 'docker.io'],
  ['debian', '13', 'docker-cli'],
  ['debian', '', 'docker-cli'],
  ['ubuntu', '24.04', 'docker.io'],
])('finds the docker command on %s %s in %s', (id, version, expected) => {
  expect(decide(machine(['docker'], { distribution: { ...BOOKWORM, id, version } }), 'test').packages).toEqual([
    expected,
  ]);
});

it('lists the programs to install by hand on a distribution without apt', () => {
  const facts = machine(['haproxy', 'nats-server'], {
    hasApt: false,
    distribution: { id: 'fedora', version: '42', name: 'Fedora Linux 42' },
  });
  expect(decide(facts, 'start').impossible).toBe(
    'Fedora Linux 42 has no apt-get: install these by hand and run this again: ' +
      'nats-server (the store, version 2.9.10 or newer), haproxy (the gateway, version 2.6 or newer)',
  );
});

it('says that it needs root when there is no sudo', () => {
  expect(decide(machine(['nft'], { isRoot: false, hasSudo: false }), 'start').impossible).toContain('needs root');
  expect(
    decide(machine([], { isRoot: false, hasSudo: false, hasNpmPackages: false }), 'start').impossible,
  ).toBeUndefined();
});

it('says that busybox-static replaces the busybox that is installed', () => {
  expect(decide(machine(['busybox'], { hasBusyboxPackage: true }), 'start').notes).toHaveLength(1);
  expect(decide(machine(['busybox']), 'start').notes).toEqual([]);
});
