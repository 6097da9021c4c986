/** Forks on a real machine: by hand, and as a pull request has them; what is left of them in the end is nothing. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../cli/connect.ts';
import { createOutput } from '../../cli/output.ts';
import { pathsOf } from '../../cli/state-dir.ts';
import type { FleetManifests } from '../../controller/fleet-manifests.ts';
import { readFleet } from '../../controller/fleet-manifests.ts';
import { createLoop } from '../../controller/loop.ts';
import { loadManifest } from '../../controller/manifest/load.ts';
import { parseSettings } from '../../controller/manifest/settings.ts';
import { createMetrics } from '../../controller/metrics.ts';
import { createPreviews } from '../../controller/previews/previews.ts';
import { silentLogger } from '../../schemas/logger.ts';
import type { Settings } from '../../schemas/settings.ts';
import { pullOf, wishOf } from '../controller/previews/wishes.ts';
import { manifestText, webService } from '../lab/fleet.ts';
import { createGitRepo, type GitRepo } from '../lab/git-repo.ts';
import { type Host, type Ran, startHost } from '../lab/host.ts';
import { ensureWebImage, WEB_IMAGE } from '../lab/images.ts';
import { ask } from '../lab/probe.ts';

const run = promisify(execFile);
const SETTINGS = `[previews]
source = "staging"
host = "{service}-{number}.preview.test"
seed_job = "fill"
`;

let host: Host;
let folder: string;
let repo: GitRepo;

/** Staging: web keeps data, api only answers; the job `fill` is for forks. */
function staging(api = '1'): string {
  const web = webService({
    hostname: 'web.staging.test',
    env: { WORD: '{{secret:word}}' },
    more: { publish: [], depends_on: { api: 'ready' } },
  });
  const template = { ...(web['template'] as object), mounts: [{ source: { volume: 'data' }, target: '/data' }] };
  const services = [
    { ...web, template },
    webService({ name: 'api', hostname: 'api.staging.test', version: api }),
    { name: 'fill', job: true, template: { image: WEB_IMAGE, entrypoint: ['/bin/true'] } },
  ];
  return manifestText('staging', services, { volumes: [{ name: 'data' }] });
}

function resultOf<T>(ran: Ran): T {
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return (JSON.parse(ran.stdout) as { data: T }).data;
}

const branch = (...args: readonly string[]) => host.slipway(['branch', ...args]);
const answer = async (hostname: string) => (await ask(host.httpPort, hostname)).body;

/** Slot → container of a namespace, jobs too. */
async function containers(namespace: string): Promise<Record<string, string>> {
  const labels = [`slipway.installation=${host.installation.id}`, `slipway.namespace=${namespace}`];
  const filters = labels.flatMap((it) => ['--filter', `label=${it}`]);
  const format = '{{.Label "slipway.slot"}} {{.ID}}';
  const { stdout } = await run('docker', ['ps', '--all', '--no-trunc', ...filters, '--format', format]);
  return Object.fromEntries(stdout.split('\n').flatMap((it) => (it === '' ? [] : [it.split(' ') as [string, string]])));
}

/** What tools that know nothing of us say of the namespace. */
async function traces(namespace: string): Promise<string[]> {
  const table = `slipway_${host.installation.id}`;
  const { stdout } = await run('nft', ['list', 'table', 'bridge', table]);
  const state = host.stateDir;
  const grep = await run('grep', ['-rlF', '--', namespace, `${state}/gateway`, `${state}/dns`, `${state}/volumes`])
    .then((it) => it.stdout.split('\n').filter((line) => line !== '' && !line.endsWith('.log')))
    .catch(() => []);
  const folders = (await readdir(`${state}/volumes`)).filter((it) => it === namespace);
  return [
    ...Object.keys(await containers(namespace)),
    ...(stdout.includes(`ns_${namespace} `) ? ['nft'] : []),
    ...grep,
    ...folders,
  ];
}

beforeAll(async () => {
  await ensureWebImage();
  folder = await mkdtemp(join(tmpdir(), 'slipway-previews-'));
  repo = await createGitRepo({ dir: join(folder, 'fleet') });
  await repo.commit({ 'slipway.toml': SETTINGS, 'namespaces/staging.json': staging() }, 'staging');
  host = await startHost({ upArgs: ['--repo', repo.path] });
  await host.slipway(['secret', 'set', 'staging/word', '--no-deploy'], {}, 'of staging');
  await host.slipway(['secret', 'set', 'previews/word', '--no-deploy'], {}, 'of previews');
  resultOf(await host.slipway(['deploy', 'staging', '--json']));
});
afterAll(async () => {
  await host?.destroy();
  await rm(folder, { recursive: true, force: true });
});

describe('a fork by hand', () => {
  it('does not run the seed job in its source', async () => {
    expect(Object.keys(await containers('staging')).toSorted()).toEqual(['api.0', 'web.0']);
  });

  it('is shown, made, answers at hostnames of the pattern, and has only secrets of previews', async () => {
    const shown = resultOf<{ urls: { url: string }[] }>(await branch('preview', 'staging', 'try', '--json'));
    expect(shown.urls.map((it) => it.url)).toContain(`http://web-try.preview.test:${host.httpPort}/`);
    expect(await containers('try')).toEqual({});

    expect((await branch('apply', 'staging', 'try')).code).toBe(0);
    expect([await answer('web-try.preview.test'), await answer('web.staging.test')]).toEqual(['web 1', 'web 1']);
    const ids = await containers('try');
    expect(Object.keys(ids).toSorted()).toEqual(['api.0', 'fill.job', 'web.0']);
    const { stdout } = await run('docker', ['inspect', '--format', '{{json .Config.Env}}', ids['web.0'] ?? '']);
    expect(JSON.parse(stdout)).toContain('WORD=of previews');
    const [fork] = resultOf<{ namespace: string; forkedFrom: object }[]>(await branch('list', '--json'));
    expect(fork).toMatchObject({ namespace: 'try', forkedFrom: { namespace: 'staging', n: 1 } });
  });

  it('replaces only what differs, and no longer carries out what was prepared before', async () => {
    const prepared = resultOf<{ plan: string }>(
      await branch('prepare', 'staging', 'try', '--service', 'api=skip', '--json'),
    );
    const before = await containers('try');
    const file = await host.manifest('staging', JSON.parse(staging('2')));
    expect((await branch('apply', 'staging', 'try', '-f', file)).code).toBe(0);
    const after = await containers('try');

    expect(await answer('api-try.preview.test')).toBe('web 2');
    expect([after['web.0'], after['fill.job']]).toEqual([before['web.0'], before['fill.job']]);
    expect(after['api.0']).not.toBe(before['api.0']);
    const moved = await branch('apply-prepared', prepared.plan);
    expect([moved.code, moved.stderr]).toEqual([1, expect.stringContaining('BASIS_MOVED')]);
  });

  it('is carried out as it was prepared', async () => {
    const { plan } = resultOf<{ plan: string }>(
      await branch('prepare', 'staging', 'try', '--service', 'api=skip', '--json'),
    );
    expect((await branch('apply-prepared', plan.slice(0, 12))).code).toBe(0);
    expect(Object.keys(await containers('try')).toSorted()).toEqual(['fill.job', 'web.0']);
  });

  it('has a manifest that asks for the same', async () => {
    const { stdout } = await branch('render-manifest', 'staging', 'try');
    expect(stdout).toContain('hostnames = [ "web-try.preview.test" ]');
    const { problems } = loadManifest({ path: 'try.toml', bytes: new TextEncoder().encode(stdout) }, settings());
    expect(problems).toEqual([]);
  });

  it('takes no namespace that is something else, and no data without being told to', async () => {
    const other = await branch('apply', 'staging', 'staging');
    expect([other.code, other.stderr]).toEqual([64, expect.stringContaining('no fork: choose another name')]);
    expect((await branch('rm', 'try')).code).toBe(4);
  });

  it('goes with its volumes, and nothing is left of it', async () => {
    expect(await traces('try')).not.toEqual([]);
    const { proof } = resultOf<{ proof: string }>(await branch('rm', 'try', '--yes', '--json'));
    expect(proof).toMatch(/^nothing left: 2 containers, 1 volume, 1 route, 1 gateway server, 1 packet filter set/);
    expect(await traces('try')).toEqual([]);
    expect(await answer('web.staging.test')).toBe('web 1');
  });
});

describe('the preview of a pull request', () => {
  it('answers with its change, follows a push, and leaves nothing when it is closed', async () => {
    const stop = new AbortController();
    await using connection = await connected(stop.signal);
    const common = { ...connection, log: silentLogger, actor: 'controller' };
    const loop = createLoop({ ...common, metrics: createMetrics(), say: () => {} }, stop.signal);
    const previews = createPreviews({ ...common, loop, httpPort: host.httpPort });
    const running = previews.run(stop.signal);
    const wish = (api: string) => {
      const pull = pullOf({ number: 41 });
      return wishOf({ pull, settings: settings(), fleet: fleetOf(api), pushedAt: new Date().toISOString() });
    };
    const until = async (state: string) => {
      for (let i = 0; i < 300; i += 1) {
        const view = await previews.view(41);
        if (view?.state === state) return view;
        await sleep(50);
      }
      throw new Error(`not ${state}: ${JSON.stringify(await previews.view(41))}`);
    };
    try {
      await previews.reconcile(wish('3'));
      const view = await until('running');
      expect(view.urls).toContainEqual({ service: 'api', url: `http://api-41.preview.test:${host.httpPort}/` });
      expect(await answer('api-41.preview.test')).toBe('web 3');
      const before = await containers('pr-41');

      await previews.reconcile(wish('4'));
      await until('running');
      while ((await answer('api-41.preview.test')) !== 'web 4') await sleep(20);
      await until('running');
      expect((await containers('pr-41'))['web.0']).toBe(before['web.0']);

      await previews.end(41, 'the pull request is closed');
      const gone = await until('removed');
      expect(gone.message).toMatch(/^the pull request is closed; nothing left: 3 containers, 1 volume, 2 routes/);
      expect(await traces('pr-41')).toEqual([]);
      expect(await keysNaming(connection, 'pr-41')).toEqual(['previews pr-41']);
      expect((await connection.store.log.entries('pr-41')).at(-1)?.kind).toBe('removed');
    } finally {
      stop.abort();
      await Promise.all([running, loop.stopped]);
    }
  });
});

async function connected(signal: AbortSignal): Promise<Connection> {
  const output = createOutput({ command: 'test', json: false });
  const paths = pathsOf({ stateDir: host.stateDir });
  return await connect({ args: [], options: {}, output, paths, signal, verbose: false });
}

function settings(): Settings {
  const parsed = parseSettings(SETTINGS).settings;
  if (parsed === null) throw new Error('the settings have problems');
  return parsed;
}

/** What the merge of a pull request says. */
function fleetOf(api: string): FleetManifests {
  const bytes = (text: string) => new TextEncoder().encode(text);
  return readFleet({
    kind: 'ok',
    revision: 'a'.repeat(40),
    commit: { author: 'dev', subject: 'a change' },
    settingsFile: bytes(SETTINGS),
    files: [{ path: 'namespaces/staging.json', bytes: bytes(staging(api)) }],
    problems: [],
  } as unknown as Parameters<typeof readFleet>[0]);
}

/** Keys of all buckets that name the namespace, but for the history. */
async function keysNaming({ store }: Connection, namespace: string): Promise<string[]> {
  const names = ['namespaces', 'secrets', 'intents', 'cursors', 'consents', 'freezes', 'previews', 'observed'] as const;
  const all = await Promise.all(
    names.map(async (name) => (await store.bucket(name).list()).map((it) => `${name} ${it.key.join('/')}`)),
  );
  return all.flat().filter((it) => it.includes(namespace));
}
