/** Choosing a bridge and a subnet. */
import { expect, it } from 'vitest';
import { parseAddresses, parseRoutes, pickNetwork } from '../../../agent/network/pick.ts';

it('takes slip0 and the first /24 on a machine that uses none', () => {
  const taken = { interfaces: ['lo', 'eth0'], blocks: ['127.0.0.1/8', '192.0.2.2/24'] };
  expect(pickNetwork(taken)).toEqual({ bridge: 'slip0', subnetIndex: 0 });
});

it('passes over what interfaces, routes and networks use, also in part', () => {
  const taken = {
    interfaces: ['slip0', 'slip1'],
    blocks: ['10.210.0.1/24', '10.210.1.77', '10.210.2.0/23', '10.210.4.128/25'],
  };
  expect(pickNetwork(taken)).toEqual({ bridge: 'slip2', subnetIndex: 5 });
});

it('accepts a wide route around it, as of a VPN or a company, when nothing else is left', () => {
  expect(pickNetwork({ interfaces: [], blocks: ['10.0.0.0/8', '10.210.0.0/24'] }).subnetIndex).toBe(1);
  expect(pickNetwork({ interfaces: [], blocks: ['0.0.0.0/1'] }).subnetIndex).toBe(0);
});

it('says so when every /24 is taken', () => {
  expect(() => pickNetwork({ interfaces: [], blocks: ['10.210.0.0/16'] })).toThrow(/10\.210\.0\.0\/16/);
});

it('ignores blocks that are no IPv4', () => {
  expect(pickNetwork({ interfaces: [], blocks: ['fd00::/8', 'unreachable', '10.210.0.0/33'] }).subnetIndex).toBe(0);
});

it('reads the answers of ip(8)', () => {
  const addresses =
    '[{"ifname":"lo","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8},{"family":"inet6","local":"::1","prefixlen":128}]},{"ifname":"slip0"}]';
  expect(parseAddresses(addresses)).toEqual({ interfaces: ['lo', 'slip0'], blocks: ['127.0.0.1/8'] });
  expect(parseRoutes('[{"dst":"default","gateway":"192.0.2.1"},{"dst":"10.210.3.0/24"},{}]')).toEqual([
    '10.210.3.0/24',
  ]);
});
