/** Names as containers see them: through Docker's embedded resolver, from the container's own address. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import dnsPacket from 'dns-packet';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createNames } from '../../../agent/dns/names.ts';
import type { Names } from '../../../agent/ports.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { type Lab, openLab } from '../network/lab.ts';

const UPSTREAM = '127.0.233.53';
const SLEEP = ['/bin/busybox', 'sleep', '600'] as const;
type Place = Awaited<ReturnType<Lab['container']>>;

let lab: Lab;
let names: Names;
let dir: string;
let web: Place;
let preview: Place;
let stranger: Place;
const agent = new AbortController();
const upstream = createSocket('udp4');

beforeAll(async () => {
  dir = await mkdtemp(`${tmpdir()}/slipway-dns-`);
  upstream.on('message', (message, from) => {
    const { id, questions = [] } = dnsPacket.decode(message);
    const answers = [{ type: 'A' as const, name: questions[0]?.name ?? '', data: '192.0.2.77' }];
    upstream.send(dnsPacket.encode({ type: 'response', id: id ?? 0, questions, answers }), from.port, from.address);
  });
  upstream.bind(53, UPSTREAM);
  await once(upstream, 'listening');
  await writeFile(`${dir}/resolv.conf`, `nameserver ${UPSTREAM}\n`);
  lab = await openLab(235);
  const network = await lab.network.ensure();
  names = createNames({
    dir: `${dir}/dns`,
    network: () => network,
    log: silentLogger,
    command: [
      process.execPath,
      '--import',
      import.meta.resolve('tsx'),
      new URL('../../../agent/dns/main.ts', import.meta.url).pathname,
      '--resolv-conf',
      `${dir}/resolv.conf`,
    ],
  });
  const options = ['--dns', network.gatewayAddress, '--dns-opt', 'timeout:1', '--dns-opt', 'attempts:3'];
  web = await lab.container(SLEEP, options);
  preview = await lab.container(SLEEP, options);
  stranger = await lab.container(SLEEP, options);
  await names.start(agent.signal);
  const members = [
    { address: web.address, namespace: 'production' },
    { address: preview.address, namespace: 'pr-42' },
  ];
  await lab.network.isolate(members);
  await names.apply({
    http: [],
    tcp: [],
    backends: [],
    members,
    names: [
      { namespace: 'production', service: 'db', addresses: ['10.210.235.101'] },
      { namespace: 'pr-42', service: 'db', addresses: ['10.210.235.142'] },
    ],
  });
}, 60_000);

afterAll(async () => {
  agent.abort();
  await names.stop();
  await lab.close();
  upstream.close();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

/** What the container's own lookup says. */
async function lookUp(place: Place, name: string): Promise<string> {
  return (await lab.exec(place.id, ['/bin/busybox', 'nslookup', name])).output;
}

it('resolves a service to the instance of the asker’s own namespace', async () => {
  expect(await lookUp(web, 'db')).toContain('10.210.235.101');
  expect(await lookUp(preview, 'db')).toContain('10.210.235.142');
});

it('resolves the long names inside the namespace and nowhere else', async () => {
  for (const name of ['db.production', 'db.production.slipway']) {
    expect(await lookUp(web, name)).toContain('10.210.235.101');
    expect(await lookUp(preview, name)).toContain('NXDOMAIN');
  }
});

it('does not tell a container without a namespace that a name does not exist', async () => {
  const output = await lookUp(stranger, 'db');
  expect(output).not.toContain('NXDOMAIN');
  expect(output).not.toMatch(/10\.210\.235\.1\d\d/);
});

it('forwards other names to the resolvers of the machine', async () => {
  expect(await lookUp(preview, 'example.org')).toContain('192.0.2.77');
});
