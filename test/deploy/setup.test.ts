/** The small judgements of setup: lock files, apt's words, dockerd's arguments, our flags. */
import { expect, it } from 'vitest';
import { parseArguments } from '../../deploy/command-line.mjs';
import { cgroupParentFor, dataRootOf } from '../../deploy/setup/dockerd-arguments.mjs';
import { engineSocket } from '../../deploy/setup/engine.mjs';
import { holdsEveryPackage } from '../../deploy/setup/npm-lock.mjs';
import { withoutCandidate } from '../../deploy/setup/perform.mjs';
import { causeOf } from '../../deploy/setup/run.mjs';

it('finds node_modules complete when every package is there in its version', () => {
  const wanted = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/zod': { version: '4.6.7' },
      'node_modules/@esbuild/win32-x64': { version: '0.28.2', optional: true },
    },
  };
  const zod = (version: string) => ({ packages: { 'node_modules/zod': { version } } });
  expect(holdsEveryPackage(wanted, zod('4.6.7'))).toBe(true);
  expect(holdsEveryPackage(wanted, zod('4.6.6'))).toBe(false);
  expect(holdsEveryPackage(wanted, { packages: {} })).toBe(false);
});

it('tells a lock of another package manager from a missing network and from the rest', () => {
  expect(causeOf('E: Could not get lock /var/lib/apt/lists/lock. It is held by process 812 (apt-get)')).toBe('locked');
  expect(causeOf('E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend)')).toBe('locked');
  expect(causeOf("W: Failed to fetch http://…  Temporary failure resolving 'deb.example'")).toBe('offline');
  expect(causeOf('npm error code EAI_AGAIN')).toBe('offline');
  expect(causeOf('E: Broken packages')).toBe('unknown');
});

it('names the packages that apt could not install', () => {
  const policy = [
    'haproxy:',
    '  Installed: (none)',
    '  Candidate: 2.6.12-1+deb12u4',
    '  Version table:',
    '     2.6.12-1+deb12u4 500',
    'nats-server:',
    '  Installed: (none)',
    '  Candidate: (none)',
    '  Version table:',
  ].join('\n');
  expect(withoutCandidate(policy, ['haproxy', 'nats-server', 'unheard-of'])).toEqual(['nats-server', 'unheard-of']);
});

it('knows where another dockerd keeps its data', () => {
  expect(dataRootOf([], '{}')).toBe('/var/lib/docker');
  expect(dataRootOf(['-H', 'fd://', '--data-root', '/srv/a'], '{}')).toBe('/srv/a');
  expect(dataRootOf(['--data-root=/srv/b'], '{"data-root": "/srv/c"}')).toBe('/srv/b');
  expect(dataRootOf(['--debug'], '{ "data-root" : "/srv/c" }')).toBe('/srv/c');
});

it('puts containers below our own control group only inside a container', () => {
  expect(cgroupParentFor('0::/init.scope\n')).toEqual([]);
  expect(cgroupParentFor('9:name=systemd:/\n6:memory:/\n0::/\n')).toEqual([]);
  expect(cgroupParentFor('3:cpu,cpuacct:/docker/ab\n6:memory:/docker/ab\n0::/docker/ab\n')).toEqual([
    '--cgroup-parent=/docker/ab/slipway',
  ]);
  expect(cgroupParentFor('0::/system.slice/docker-ab.scope\n')).toEqual([
    '--cgroup-parent=/system.slice/docker-ab.scope/slipway',
  ]);
});

it("takes the engine's socket from DOCKER_HOST and refuses an engine elsewhere", () => {
  expect(engineSocket({})).toBe('/var/run/docker.sock');
  expect(engineSocket({ DOCKER_HOST: 'unix:///run/user/1000/docker.sock' })).toBe('/run/user/1000/docker.sock');
  expect(() => engineSocket({ DOCKER_HOST: 'tcp://10.0.0.7:2375' })).toThrow('tcp://10.0.0.7:2375');
});

it('keeps --yes for itself and passes everything else on, in order', () => {
  expect(parseArguments(['--repo', '/srv/fleet', '--yes'])).toEqual({ yes: true, rest: ['--repo', '/srv/fleet'] });
  expect(parseArguments(['--json'])).toEqual({ yes: false, rest: ['--json'] });
});
