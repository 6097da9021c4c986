/** Who reaches whom on the bridge: real containers, real packet filter. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createNetwork } from '../../../agent/network/network.ts';
import { pickNetwork } from '../../../agent/network/pick.ts';
import { takenNetworks } from '../../../agent/network/taken.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { connectArgv, connects, dockerNetworks, hostConnects, type Lab, openLab, WEB } from './lab.ts';

const run = promisify(execFile);
const open: Lab[] = [];
type Place = Awaited<ReturnType<Lab['container']>>;

let lab: Lab;
let db: Place;
let web: Place;
let preview: Place;
let stranger: Place;

beforeAll(async () => {
  lab = await openLab(231);
  open.push(lab);
  db = await lab.container(WEB);
  web = await lab.container(WEB);
  preview = await lab.container(WEB, ['--cap-add', 'NET_ADMIN']);
  stranger = await lab.container(WEB);
  await lab.network.isolate(members());
}, 60_000);

afterAll(async () => {
  for (const it of open) await it.close();
}, 60_000);

function members() {
  return [
    { address: db.address, namespace: 'production' },
    { address: web.address, namespace: 'production' },
    { address: preview.address, namespace: 'pr-42' },
  ];
}

it('lets containers of one namespace connect', async () => {
  expect(await connects(lab, web.id, db.address)).toBe(true);
  expect(await connects(lab, db.id, web.address)).toBe(true);
});

it('keeps containers of different namespaces apart, both ways', async () => {
  expect(await connects(lab, preview.id, db.address)).toBe(false);
  expect(await connects(lab, db.id, preview.address)).toBe(false);
});

it('keeps a container that is in no namespace from everybody', async () => {
  expect(await connects(lab, stranger.id, db.address)).toBe(false);
  expect(await connects(lab, web.id, stranger.address)).toBe(false);
});

it('lets the host connect to all of them', () => {
  expect([db, web, preview, stranger].map((it) => hostConnects(it.address))).toEqual([true, true, true, true]);
});

it('keeps namespaces apart when a container sends by way of the gateway', async () => {
  const { gatewayAddress } = await lab.network.ensure();
  const route = ['/bin/busybox', 'ip', 'route', 'add', `${db.address}/32`, 'via', gatewayAddress];
  expect(await lab.exec(preview.id, route)).toEqual({ code: 0, output: '' });
  expect(await connects(lab, preview.id, db.address)).toBe(false);
});

it('lets containers reach the host at the gateway address, where the resolver listens', async () => {
  const { gatewayAddress } = await lab.network.ensure();
  const server = createServer((it) => it.end());
  server.listen(53, gatewayAddress);
  await once(server, 'listening');
  expect(await connects(lab, preview.id, gatewayAddress, 53)).toBe(true);
  expect(await connects(lab, stranger.id, gatewayAddress, 53)).toBe(true);
  server.close();
});

it('gives containers the outside, under the address of the host', async () => {
  const outside = await openOutside(lab.installation.id);
  try {
    const seen = outside.firstCaller();
    expect(await connects(lab, web.id, outside.address, 9000)).toBe(true);
    expect(await seen).toBe(outside.hostAddress);
  } finally {
    await outside.close();
  }
});

it('does not let machines outside in, neither to containers nor to the resolver', async () => {
  const { gatewayAddress, subnet } = await lab.network.ensure();
  const outside = await openOutside(lab.installation.id);
  const server = createServer((it) => it.end());
  server.listen(53, gatewayAddress);
  await once(server, 'listening');
  try {
    await outside.exec(['ip', 'route', 'add', subnet, 'via', outside.hostAddress]);
    expect(await outside.connects(outside.hostAddress, 22_222)).toBe(true);
    expect(await outside.connects(web.address, 8080)).toBe(false);
    expect(await outside.connects(gatewayAddress, 53)).toBe(false);
  } finally {
    server.close();
    await outside.close();
  }
});

it('cuts a connection in use when its namespaces are parted, and replaces rules without cutting one that stays', async () => {
  const stream = spawn('docker', [
    'exec',
    web.id,
    '/bin/busybox',
    'ping',
    '-i',
    '0.02',
    '-c',
    '60',
    '-W',
    '1',
    db.address,
  ]);
  let output = '';
  stream.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
  const ended = once(stream, 'exit');
  for (let round = 0; round < 40; round += 1) {
    const more = { address: stranger.address, namespace: `pr-${round}` };
    await lab.network.isolate([...members(), more]);
  }
  await ended;
  expect(output).toContain('60 packets transmitted, 60 packets received');
  await lab.network.isolate(members().filter((it) => it.address !== db.address));
  expect(await connects(lab, web.id, db.address)).toBe(false);
  await lab.network.isolate(members());
  expect(await connects(lab, web.id, db.address)).toBe(true);
});

it('does not disturb, and is not reached from, another installation on the same machine', async () => {
  const other = await openLab(232);
  open.push(other);
  const theirs = await other.container(WEB);
  const theirSecond = await other.container(WEB);
  await other.network.isolate([theirs, theirSecond].map(({ address }) => ({ address, namespace: 'production' })));
  expect(await connects(other, theirSecond.id, theirs.address)).toBe(true);
  expect(await connects(other, theirs.id, db.address)).toBe(false);
  expect(await connects(lab, db.id, theirs.address)).toBe(false);
  await other.close();
  open.splice(open.indexOf(other), 1);
  expect(await connects(lab, web.id, db.address)).toBe(true);
  expect(await connects(lab, preview.id, db.address)).toBe(false);
});

it('makes its rules again, with the members last known, when somebody flushed them', async () => {
  await run('nft', ['delete', 'table', 'bridge', `slipway_${lab.installation.id}`]);
  await lab.network.ensure();
  expect(await connects(lab, web.id, db.address)).toBe(true);
  expect(await connects(lab, preview.id, db.address)).toBe(false);
});

it('parts namespaces by either table on its own way, and by neither when both are gone', async () => {
  const table = `slipway_${lab.installation.id}`;
  await run('nft', ['delete', 'table', 'ip', table]);
  expect(await connects(lab, preview.id, web.address)).toBe(false);
  await lab.network.ensure();
  await run('nft', ['delete', 'table', 'bridge', table]);
  // By way of the gateway, because of the route above.
  expect(await connects(lab, preview.id, db.address)).toBe(false);
  await run('nft', ['delete', 'table', 'ip', table]);
  expect(await connects(lab, preview.id, web.address)).toBe(true);
  expect(await connects(lab, preview.id, db.address)).toBe(true);
  await lab.network.ensure();
  expect(await connects(lab, preview.id, web.address)).toBe(false);
});

it('leaves the rules of running containers alone when an agent starts anew', async () => {
  const again = createNetwork({ engine: dockerNetworks(), installation: lab.installation, log: silentLogger });
  await again.ensure();
  expect(await connects(lab, web.id, db.address)).toBe(true);
});

it('sees its own network as taken', async () => {
  const taken = await takenNetworks(dockerNetworks());
  expect(taken.interfaces).toContain('slipt231');
  expect(taken.blocks).toContain('10.210.231.0/24');
  expect(pickNetwork({ ...taken, interfaces: [...taken.interfaces, 'slip0'] }).bridge).not.toBe('slip0');
});

it('makes the network again when somebody removed it', async () => {
  const other = await openLab(233);
  open.push(other);
  await run('docker', ['network', 'rm', `slipway-${other.installation.id}`]);
  expect(await other.network.ensure()).toEqual(await other.network.ensure());
  expect((await other.container(WEB)).address).toMatch(/^10\.210\.233\./);
});

it('makes a new bridge when somebody deleted it', async () => {
  const other = await openLab(234);
  open.push(other);
  await run('ip', ['link', 'del', other.installation.bridge]);
  await other.network.ensure();
  const place = await other.container(WEB);
  expect(hostConnects(place.address)).toBe(true);
});

/** A network namespace beside this machine, joined by a cable, with a server on port 9000. */
async function openOutside(id: string) {
  const name = `slipt-${id}`;
  const link = `vt${id}`;
  const exec = (argv: readonly string[]) => run('ip', ['netns', 'exec', name, ...argv]);
  await run('ip', ['netns', 'add', name]);
  await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
  await run('ip', ['addr', 'add', '198.18.231.1/30', 'dev', link]);
  await run('ip', ['link', 'set', link, 'up']);
  await exec(['ip', 'addr', 'add', '198.18.231.2/30', 'dev', 'eth0']);
  await exec(['ip', 'link', 'set', 'eth0', 'up']);
  const script =
    "require('net').createServer((s)=>{console.log(s.remoteAddress);s.end()}).listen(9000,'0.0.0.0',()=>console.log('up'))";
  const server = spawn('ip', ['netns', 'exec', name, process.execPath, '-e', script]);
  await once(server.stdout, 'data');
  const reachable = createServer((it) => it.end());
  reachable.listen(22_222, '198.18.231.1');
  await once(reachable, 'listening');
  return {
    address: '198.18.231.2',
    hostAddress: '198.18.231.1',
    exec,
    firstCaller: async () => String((await once(server.stdout, 'data'))[0]).trim(),
    connects: (address: string, port: number) =>
      exec(connectArgv(address, port)).then(
        () => true,
        () => false,
      ),
    async close() {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      reachable.close();
      await run('ip', ['netns', 'del', name]);
      await run('ip', ['link', 'del', link]).catch(() => {});
      await delay(10);
    },
  };
}
