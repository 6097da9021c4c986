/** When the network is made, made again, refused and removed. */
import { expect, it } from 'vitest';
import type { EngineNetwork, NetworkConfig } from '../../../agent/docker/port.ts';
import { createNetwork } from '../../../agent/network/network.ts';
import { silentLogger } from '../../../schemas/logger.ts';

const installation = { id: '0123abcd', bridge: 'slip0', subnetIndex: 7 };
const overlay = { name: 'slipway-0123abcd', bridge: 'slip0', subnet: '10.210.7.0/24', gatewayAddress: '10.210.7.1' };

/** A machine that does what it is told; `scripts` holds what nft was given. */
function machine(given: EngineNetwork[] = []) {
  const networks = [...given];
  const scripts: string[] = [];
  const tables = new Set<string>();
  const links = new Set(given.map(() => 'slip0'));
  const state = { fail: null as Error | null };
  const network = createNetwork({
    installation,
    log: silentLogger,
    linkExists: async (name) => links.has(name),
    filter: {
      async run(script) {
        scripts.push(script);
        tables.clear();
        for (const [, table = ''] of script.matchAll(/^table (.*) \{$/gm)) tables.add(table);
      },
      sets: async () => new Map(),
      tables: async () => new Set(tables),
    },
    engine: {
      listNetworks: async () => [...networks],
      async createNetwork(config) {
        if (state.fail !== null) throw state.fail;
        networks.push(made(config));
        links.add('slip0');
        return config.name;
      },
      async removeNetwork(id) {
        networks.splice(0, networks.length, ...networks.filter((it) => it.id !== id));
      },
    },
  });
  return { network, networks, scripts, tables, links, state };
}

function made(config: NetworkConfig): EngineNetwork {
  return { ...config, id: config.name, driver: 'bridge' };
}

function foreign(change: Partial<EngineNetwork>): EngineNetwork {
  const labels = { 'slipway.installation': '0123abcd' };
  const options = { 'com.docker.network.bridge.name': 'slip0' };
  return { ...overlay, id: 'n1', driver: 'bridge', labels, options, ...change };
}

it('makes filter and network once, with the same answer each time', async () => {
  const { network, networks, scripts } = machine();
  expect(await network.ensure()).toEqual(overlay);
  expect(await network.ensure()).toEqual(overlay);
  expect(scripts).toHaveLength(1);
  expect(networks).toMatchObject([
    {
      name: 'slipway-0123abcd',
      labels: { 'slipway.installation': '0123abcd' },
      subnet: '10.210.7.0/24',
      options: {
        'com.docker.network.bridge.name': 'slip0',
        'com.docker.network.bridge.enable_ip_masquerade': 'false',
        'com.docker.network.bridge.trusted_host_interfaces': 'slip0',
      },
    },
  ]);
});

it('makes the network again when its bridge is gone', async () => {
  const { network, networks, links } = machine([foreign({})]);
  links.clear();
  await network.ensure();
  expect(networks.map((it) => it.id)).toEqual(['slipway-0123abcd']);
});

it('brings lost tables back with the members last given', async () => {
  const { network, tables, scripts } = machine();
  await network.ensure();
  await network.isolate([{ address: '10.210.7.2', namespace: 'production' }]);
  tables.delete('ip slipway_0123abcd');
  await network.ensure();
  expect(scripts).toHaveLength(3);
  expect(scripts[2]).toBe(scripts[1]);
});

it.each([
  [{ labels: {} }, /was not made by this installation/],
  [{ subnet: '10.9.0.0/24' }, /has 10\.9\.0\.0\/24/],
  [{ options: {} }, /is on bridge undefined/],
])('refuses a network of its name that is another: %j', async (change, message) => {
  const { network, networks } = machine([foreign(change)]);
  await expect(network.ensure()).rejects.toMatchObject({
    code: 'NETWORK_FAILED',
    message: expect.stringMatching(message),
  });
  await expect(network.remove()).rejects.toMatchObject({ code: 'NETWORK_FAILED' });
  expect(networks).toHaveLength(1);
});

it('carries calls out one after another, and goes on after a failure', async () => {
  const { network, state, scripts } = machine();
  state.fail = new Error('pool overlaps');
  const [failed] = await Promise.allSettled([network.ensure(), network.isolate([])]);
  expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'NETWORK_FAILED' } });
  expect(scripts).toHaveLength(2);
});

it('removes both, also when there is nothing', async () => {
  const { network, networks, tables } = machine();
  await network.remove();
  await network.ensure();
  await network.remove();
  expect([networks, [...tables]]).toEqual([[], []]);
});
