/** Create options: exact, for a plain service and for one that uses everything. */
import { expect, it } from 'vitest';
import { type ContainerOrder, containerConfig } from '../../../agent/docker/options.ts';
import type { ServiceTemplate } from '../../../schemas/service.ts';
import { serviceSpec, volumeMount } from '../../builders/service.ts';

function order(template: Partial<ServiceTemplate> = {}, overrides: Partial<ContainerOrder> = {}): ContainerOrder {
  return {
    template: serviceSpec({ template }).template,
    stopGracePeriodMs: 1500,
    labels: { 'slipway.slot': 'web.0' },
    hostname: 'web-0',
    job: false,
    overlay: { name: 'slipway-0a1b2c3d', gatewayAddress: '10.210.7.1' },
    volumePaths: {},
    secrets: { values: {}, paths: {} },
    ...overrides,
  };
}

it('makes a plain overlay container', () => {
  expect(containerConfig(order())).toEqual({
    Image: `registry.example/web@sha256:${'a'.repeat(64)}`,
    Hostname: 'web-0',
    Env: [],
    Labels: { 'slipway.slot': 'web.0' },
    StopTimeout: 2,
    HostConfig: {
      Mounts: [],
      CapAdd: [],
      CapDrop: ['NET_RAW'],
      Privileged: false,
      Sysctls: {},
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10485760', 'max-file': '3' } },
      RestartPolicy: { Name: 'unless-stopped' },
      NetworkMode: 'slipway-0a1b2c3d',
      Dns: ['10.210.7.1'],
      DnsOptions: ['timeout:1', 'attempts:3'],
    },
  });
});

it('makes a container of every field', () => {
  const config = containerConfig(
    order(
      {
        command: ['serve', '--fast'],
        entrypoint: ['/init'],
        env: { B: '2', A: '1' },
        mounts: [
          volumeMount('data', '/data'),
          { kind: 'bind', path: '/etc/hosts', target: '/hosts', readonly: true },
          { kind: 'tmpfs', target: '/tmp', sizeBytes: 4096 },
          { kind: 'tmpfs', target: '/run', sizeBytes: null },
        ],
        cpuMillicores: 500,
        memoryBytes: 1 << 28,
        user: '1000:1000',
        capAdd: ['NET_ADMIN'],
        capDrop: ['ALL'],
        privileged: true,
        sysctls: { 'net.core.somaxconn': '1024' },
        pidMode: 'host',
        labels: { team: 'ops', 'slipway.slot': 'forged' },
        log: { maxSizeBytes: 1024, maxFiles: 1 },
        udpPublish: [
          { port: 53, protocol: 'udp', hostPort: 5353 },
          { port: 53, protocol: 'udp', hostPort: 5354 },
        ],
        restart: 'on-failure',
      },
      { volumePaths: { data: '/var/lib/slipway/volumes/production/data' } },
    ),
  );
  expect(config).toMatchObject({
    Cmd: ['serve', '--fast'],
    Entrypoint: ['/init'],
    Env: ['A=1', 'B=2'],
    User: '1000:1000',
    Labels: { team: 'ops', 'slipway.slot': 'web.0' },
    ExposedPorts: { '53/udp': {} },
    HostConfig: {
      Mounts: [
        { Type: 'bind', Source: '/var/lib/slipway/volumes/production/data', Target: '/data', ReadOnly: false },
        { Type: 'bind', Source: '/etc/hosts', Target: '/hosts', ReadOnly: true },
        { Type: 'tmpfs', Target: '/tmp', TmpfsOptions: { SizeBytes: 4096 } },
        { Type: 'tmpfs', Target: '/run' },
      ],
      NanoCpus: 500_000_000,
      Memory: 268_435_456,
      CapAdd: ['NET_ADMIN'],
      CapDrop: ['ALL'],
      Privileged: true,
      Sysctls: { 'net.core.somaxconn': '1024' },
      PidMode: 'host',
      LogConfig: { Config: { 'max-size': '1024', 'max-file': '1' } },
      RestartPolicy: { Name: 'on-failure' },
      PortBindings: { '53/udp': [{ HostPort: '5353' }, { HostPort: '5354' }] },
    },
  });
});

it.each(['host', 'none'] as const)('gives a container in network %s neither resolver nor ports', (network) => {
  const config = containerConfig(order({ network, udpPublish: [{ port: 53, protocol: 'udp', hostPort: 53 }] }));
  expect(config.HostConfig).toMatchObject({ NetworkMode: network });
  expect(config.HostConfig).not.toHaveProperty('Dns');
  expect(config.HostConfig).not.toHaveProperty('PortBindings');
  expect('Hostname' in config).toBe(network === 'none');
});

it('never restarts a job, and never lets the engine bring back what a swap stopped', () => {
  expect(containerConfig(order({}, { job: true })).HostConfig.RestartPolicy).toEqual({ Name: 'no' });
  expect(containerConfig(order({ restart: 'always' })).HostConfig.RestartPolicy).toEqual({ Name: 'unless-stopped' });
});

it('refuses to make a container whose volume has no path', () => {
  expect(() => containerConfig(order({ mounts: [volumeMount()] }))).toThrow(/nothing was given for data/);
});

it.each([
  ['it asks for them', { capAdd: ['NET_RAW'] }, []],
  ['it asks for everything', { capAdd: ['ALL'] }, []],
  ['it is privileged', { privileged: true }, []],
  ['it has the host network', { network: 'host' as const }, []],
  ['it has no network', { network: 'none' as const, capDrop: ['CHOWN'] }, ['CHOWN']],
  ['nobody asks', { capAdd: ['CHOWN'], capDrop: ['KILL'] }, ['KILL', 'NET_RAW']],
  ['it drops them itself', { capDrop: ['NET_RAW'] }, ['NET_RAW']],
])('raw sockets are dropped from a container of the overlay: %s', (_, template, dropped) => {
  expect(containerConfig(order(template)).HostConfig).toMatchObject({ CapDrop: dropped });
});
