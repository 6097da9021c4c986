/**
 * Hard cases of pull requests on a whole installation that hears of them by polling only: forks, a controller that is
 * killed, a forge that loses answers. GitHub's published contract, git over HTTP, nats-server, Docker and HAProxy.
 */
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Github, startGithub } from '../fakes/github/github.ts';
import type { Repository } from '../fakes/github/repository.ts';
import { webService } from '../kill/lab.ts';
import { type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { readContainers } from '../lab/inventory.ts';
import { ask } from '../lab/probe.ts';

const SETTINGS = '[previews]\nsource = "staging"\nhost = "{service}-pr-{number}.preview.test"\n';

let github: Github;
let fleet: Repository;
let host: Host;
let up: ReturnType<Host['start']>;
let orders: string;
let token: string;
let registry: Server;
let askedOfRegistry: string[];

function staging(version: string, template: object = {}): string {
  const routes = [{ http: { service_port: 'http', hostnames: ['staging.test'], path_prefix: '/' } }];
  const services = [webService('web', version, 'pull', { routes, template })];
  return JSON.stringify({ namespace: 'staging', services }, null, 2);
}
const file = (version: string, template: object = {}) => ({ 'namespaces/staging.json': staging(version, template) });

async function until<T>(what: string, look: () => Promise<T> | T, is: (it: T) => boolean, ms = 20_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const it = await look();
    if (is(it)) return it;
    if (Date.now() > end) throw new Error(`${what} did not come; it is ${JSON.stringify(it, null, 2)}`);
    await sleep(50);
  }
}

const ours = (number: number) => fleet.commentsOf(number).filter((it) => it.by === 'slipway-bot');
const body = (number: number) => ours(number)[0]?.body ?? '';
const preview = async (number: number) => (await ask(host.httpPort, `web-pr-${number}.preview.test`)).body;
const containersOf = async (number: number) =>
  (await readContainers(host)).filter((it) => it.namespace === `pr-${number}`);

function begin(): void {
  up = host.start(['up', '--repo', github.gitUrl('acme/fleet')], {
    SLIPWAY_FORGE: 'github',
    SLIPWAY_FORGE_API: github.apiUrl,
    SLIPWAY_FORGE_TOKEN: token,
    SLIPWAY_FORGE_POLL: '300ms',
    SLIPWAY_KILL_FILE: orders,
  });
}

/** The controller is killed when it comes to the point, and started again. */
async function killedAt(point: string, work: () => Promise<void>): Promise<void> {
  await writeFile(orders, `${point}#1`);
  await work();
  expect((await up.ended).signal, `killed at ${point}`).toBe('SIGKILL');
  begin();
}

beforeAll(async () => {
  await ensureWebImage();
  askedOfRegistry = [];
  registry = createServer((request, response) => {
    askedOfRegistry.push(request.url ?? '');
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  github = await startGithub();
  for (const login of ['alice', 'mallory', 'slipway-bot']) github.user(login);
  fleet = await github.repository('acme/fleet', {
    private: false,
    collaborators: { alice: 'write', 'slipway-bot': 'write' },
    files: { 'slipway.toml': SETTINGS, ...file('1') },
  });
  token = github.classicToken('slipway-bot');
  host = await startHost();
  orders = join(host.dir, 'controller.kill');
  begin();
  await until(
    'staging',
    async () => (await ask(host.httpPort, 'staging.test')).body,
    (it) => it === 'web 1',
  );
}, 90_000);

afterAll(async () => {
  up?.child.kill('SIGTERM');
  const ended = await up?.ended;
  await host?.destroy();
  await github?.close();
  registry?.close();
  if (process.env['SLIPWAY_TEST_SAY'] !== undefined) process.stdout.write(`${ended?.stdout}${ended?.stderr}`);
});

it('a fork’s pull request is planned and nothing else, and runs at exactly the head that was allowed', async () => {
  const fork = await github.fork(fleet, 'mallory');
  const { port } = registry.address() as AddressInfo;
  await fork.commit('theirs', file('0', { image: `127.0.0.1:${port}/mallory/web:1` }), { by: 'mallory' });
  const number = await fleet.openPull({ head: 'theirs', from: fork, title: 'Trust me', by: 'mallory' });
  await until(
    'the comment',
    () => body(number),
    (it) => it.includes('another repository'),
  );
  const head = await fork.commit('theirs', file('7'), { by: 'mallory' });
  await until(
    'the plan of the push',
    () => body(number),
    (it) => it.includes(`/slipway preview ${head}`),
  );
  expect(askedOfRegistry).toEqual([]);
  expect(await containersOf(number)).toEqual([]);

  fleet.comment(number, 'mallory', `/slipway preview ${head}`);
  fleet.comment(number, 'alice', `/slipway preview ${head}`);
  await until(
    'the preview',
    () => preview(number),
    (it) => it === 'web 7',
  );
  const later = await fork.commit('theirs', file('8'), { by: 'mallory' });
  await until(
    'the refusal of the push',
    () => body(number),
    (it) => it.includes(`/slipway preview ${later}`) && it.includes('stays as it was'),
  );
  expect(await preview(number)).toBe('web 7');
  await fleet.close(number, 'alice');
  await until(
    'the proof',
    () => body(number),
    (it) => it.includes('nothing left'),
  );
});

it('a controller that is killed on its way leaves one comment, one preview and nothing when it is closed', async () => {
  let number = 0;
  await killedAt('comment:written', async () => {
    await fleet.commit('change', file('2'), { by: 'alice' });
    number = await fleet.openPull({ head: 'change', title: 'Change', by: 'alice' });
  });
  await until(
    'the preview',
    () => preview(number),
    (it) => it === 'web 2',
  );
  await killedAt('command:carried-out', async () => void fleet.comment(number, 'alice', '/slipway freeze staging'));
  await until(
    'the word about the command',
    () => body(number),
    (it) => it.includes('It was interrupted'),
  );
  await killedAt('preview:torn', () => fleet.close(number, 'alice'));
  await until(
    'the proof',
    () => body(number),
    (it) => it.includes('nothing left'),
  );
  expect(ours(number)).toHaveLength(1);
  expect(await containersOf(number)).toEqual([]);
});

it('an answer that GitHub loses makes no second comment, and its outage is said once and made up for', async () => {
  github.fail({ what: 'status', when: 'after', operation: 'issues/create-comment', times: 1 });
  await fleet.commit('lossy', file('3'), { by: 'alice' });
  const number = await fleet.openPull({ head: 'lossy', title: 'Lossy', by: 'alice' });
  await until(
    'the preview',
    () => preview(number),
    (it) => it === 'web 3',
  );
  await until(
    'the word about it',
    () => body(number),
    (it) => it.includes('✅ running'),
  );
  expect(ours(number)).toHaveLength(1);
  github.fail({ what: 'status', status: 401 });
  const status = async () => (await host.slipway(['status'])).stdout;
  await until('the outage', status, (it) => it.includes('pull requests wait since'));
  await fleet.commit('lossy', file('4'), { by: 'alice' });
  github.heal();
  await until(
    'the push',
    () => preview(number),
    (it) => it === 'web 4',
  );
  await until('its end', status, (it) => !it.includes('pull requests wait since'));
  const events = (await host.slipway(['events', '--json'])).stdout;
  expect(events.match(/forge\.unavailable/g)).toHaveLength(1);
  await rm(orders, { force: true });
});
