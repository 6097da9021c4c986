/** Manifests that are in order and cannot be carried out: each says why and what to do, and the old version serves. */
import { createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRegistry, type TestRegistry } from '../contract/agent/registry.ts';
import { manifestText, webService } from '../lab/fleet.ts';
import { type GatewayProbe, startProbe } from '../lab/gateway-probe.ts';
import { createGitRepo, type GitRepo } from '../lab/git-repo.ts';
import { freePort, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage, WEB_IMAGE } from '../lab/images.ts';
import { readContainers } from '../lab/inventory.ts';
import { type RunningCommand, startCommand } from '../lab/running-command.ts';

const MANIFEST = 'namespaces/shop.json';
const SERVES = 'what was live goes on serving';
const MEND = 'commit a change that mends it, or try the same again with `slipway deploy shop`';
const EVIDENCE = '`slipway deploys shop` shows the evidence';

type Service = Omit<Parameters<typeof webService>[0], 'hostname'>;
const shop = (service: Service) => manifestText('shop', [webService({ hostname: 'shop.test', ...service })]);
const HTTP_ROUTE = { http: { service_port: 'http', hostnames: ['shop.test'] } };

let host: Host;
let repo: GitRepo;
let up: RunningCommand;
let probe: GatewayProbe;
let registry: TestRegistry;
let holder: Server;
let heldPort: number;
let silentPort: number;

beforeAll(async () => {
  await ensureWebImage();
  host = await startHost();
  registry = await openRegistry({ 'shop/web': 'only-arm64', 'shop/broken': 'fails' }, host.installation.id);
  silentPort = await freePort();
  heldPort = await freePort();
  holder = createTcpServer((socket) => socket.end('somebody else'));
  await new Promise<void>((resolve) => holder.listen(heldPort, '0.0.0.0', resolve));
  repo = await createGitRepo({ dir: join(host.dir, 'fleet') });
  await repo.commit({ [MANIFEST]: shop({ version: '1' }) });
  up = startCommand(host, ['up', '--repo', repo.path, '--hook-port', String(await freePort())]);
  await up.saw('shop: release #1 is live');
  probe = startProbe({ port: host.httpPort, hostname: 'shop.test' });
  await probe.settled('web 1');
});

afterAll(async () => {
  await probe?.stop();
  await up?.interrupt();
  holder?.close();
  registry?.close();
  await host?.destroy();
});

/** Old version served without a gap, and nothing of the new one is left. */
async function expectUntouched(): Promise<void> {
  expect(await probe.take()).toEqual(['web 1']);
  const containers = await readContainers(host);
  expect(containers.map((it) => `${it.slot} ${it.version} ${it.state}`)).toEqual(['web.0 1 running']);
}

it.each<[string, () => Service, () => readonly string[]]>([
  [
    'an image that no registry has',
    () => ({ image: `${registry.host}/shop/typo:2` }),
    () => [
      `IMAGE_NOT_FOUND: web: ${registry.host}/shop/typo:2 is not on this machine, and no registry has ${registry.host}/shop/typo:2`,
      MEND,
    ],
  ],
  [
    'an image for another platform',
    () => ({ image: `${registry.host}/shop/web:2` }),
    () => [`IMAGE_PLATFORM: web: ${registry.host}/shop/web:2 exists for linux/arm64, but this machine is linux/`, MEND],
  ],
  [
    'a registry that is away',
    () => ({ image: `127.0.0.1:${silentPort}/shop/web:2` }),
    () => [
      `REGISTRY_UNAVAILABLE: web: 127.0.0.1:${silentPort}/shop/web:2 is not on this machine, and the registry of`,
      'it is tried again in 2 s',
    ],
  ],
  [
    'a port of another program, as a route',
    () => ({ more: { routes: [HTTP_ROUTE, { tcp: { service_port: 'http', listen_port: heldPort } }] } }),
    () => [`PORT_CONFLICT: port ${heldPort} that shop/web wants is held by node (pid ${process.pid}) on`, MEND],
  ],
  [
    'a port of another program, published',
    () => ({ more: { publish: [{ service_port: 'http', host_port: heldPort }] } }),
    () => [
      `PORT_CONFLICT: port ${heldPort} that shop/web wants is held by`,
      'stop that program or choose another port',
    ],
  ],
  [
    'the port of the gateway itself',
    () => ({ more: { publish: [{ service_port: 'http', host_port: host.httpPort }] } }),
    () => [`PORT_CONFLICT: web: tcp port ${host.httpPort} belongs to slipway/gateway`, MEND],
  ],
  [
    'a container that exits at once',
    () => ({ env: { EXIT_AT_ONCE: '1' }, more: { restart: 'no' } }),
    () => ['EXITED: web.0: it ended with exit code 3', MEND, EVIDENCE],
  ],
  [
    'a container that exits again and again',
    () => ({ env: { EXIT_AT_ONCE: '1' } }),
    () => ['EXITED: web.0: it ended 4 times, with exit code 3', EVIDENCE],
  ],
  [
    'a program that is not in the image',
    () => ({ more: { template: { image: WEB_IMAGE, entrypoint: ['/bin/nowhere'] } } }),
    () => ['ENGINE_FAILED: ', '/bin/nowhere', MEND],
  ],
  [
    'an instance that never gets ready',
    () => ({ env: { HEALTHY: '0' }, more: { deadline: '1s' } }),
    () => ['NEVER_READY: web.0: it was not ready within 1 s (GET /healthz on port 8080: 404)', EVIDENCE],
  ],
])('%s: the message says what and what next, and the old version serves', async (_, service, said) => {
  up.skip();
  await repo.commit({ [MANIFEST]: shop({ version: '2', ...service() }) });
  const line = await up.saw('shop is not deployed');
  for (const it of [SERVES, ...said()]) expect(line).toContain(it);
  await expectUntouched();
  const status = await host.slipway(['status', 'shop']);
  expect(status.stdout).toContain(`  failed: ${/not deployed: (.*?); what was/.exec(line)?.[1]}`);
});

it('keeps the evidence of a failed deploy, for people and for programs', async () => {
  const text = await host.slipway(['deploys', 'shop']);
  expect(text.stdout).toContain('NEVER_READY: web.0: it was not ready within 1 s');
  expect(text.stdout).toContain('last probe: GET /healthz on port 8080: 404');
  const json = await host.slipway(['deploys', 'shop', '--json']);
  const deploys = (
    JSON.parse(json.stdout) as { data: { state: string; failure: { code: string; evidence: object[] } }[] }
  ).data;
  const exited = deploys.find((it) => it.failure?.code === 'EXITED');
  expect(exited?.state).toBe('failed');
  expect(exited?.failure.evidence).toEqual([
    expect.objectContaining({ slot: 'web.0', exitCode: 3, logs: expect.arrayContaining(['giving up on purpose']) }),
  ]);
});

it('gives the command that deploys by hand the same message and exit code 1', async () => {
  const file = join(host.dir, 'shop.json');
  const { writeFile } = await import('node:fs/promises');
  await writeFile(file, shop({ version: '2', env: { EXIT_AT_ONCE: '1' }, more: { restart: 'no' } }));
  const text = await host.slipway(['deploy', '-f', file]);
  expect(text.code).toBe(1);
  expect(text.stdout).toContain('failed: web.0: it ended with exit code 3');
  expect(text.stdout).toContain('| giving up on purpose');
  expect(text.stderr).toContain('what was live before still serves');
  await writeFile(file, shop({ version: '2', image: `${registry.host}/shop/typo:2` }));
  const json = await host.slipway(['deploy', '-f', file, '--json']);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, command: 'deploy', error: { code: 'IMAGE_NOT_FOUND' } });
  await expectUntouched();
});

it('puts the old version back when the new one of a stop-first service exits at once', async () => {
  up.skip();
  await repo.commit({ [MANIFEST]: shop({ version: '2', env: { EXIT_AT_ONCE: '1' }, more: { strategy: 'recreate' } }) });
  expect(await up.saw('shop is not deployed')).toContain('EXITED: web.0');
  await probe.settled('web 1');
  await expectUntouched();
});

it('deploys the version that mends it', async () => {
  up.skip();
  await repo.commit({ [MANIFEST]: shop({ version: '2' }) });
  await up.saw(/shop: release #\d+ is live/);
  expect((await probe.take()).filter((it) => !/^web [12]$/.test(it))).toEqual([]);
  await probe.settled('web 2');
  expect((await host.slipway(['status', 'shop'])).stdout).not.toContain('failed');
});
