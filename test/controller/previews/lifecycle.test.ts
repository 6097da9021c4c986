/** Previews over the real loop, planner and executor in memory. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../controller/execute/clock.ts';
import { createLoop } from '../../../controller/loop.ts';
import { createMetrics } from '../../../controller/metrics.ts';
import { createNamespaces } from '../../../controller/namespaces.ts';
import type { Previews } from '../../../controller/previews/port.ts';
import { createPreviews } from '../../../controller/previews/previews.ts';
import type { NamespaceInventory } from '../../../schemas/inventory.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { deployId, release } from '../../builders/release.ts';
import { desiredService, image, serviceSpec, volumeMount } from '../../builders/service.ts';
import { createExecutorLab, type ExecutorLab } from '../execute/lab.ts';
import { fleetOf, HEAD, previewSettings, pullOf, wishOf } from './wishes.ts';

const NOTHING: NamespaceInventory = { containers: [], servers: [], routes: [], filter: [], volumes: [], files: [] };
const web = (version = '1') =>
  desiredService({
    template: { env: { VERSION: version } },
    routes: [{ kind: 'http', hostname: 'staging.acme.dev', pathPrefix: '/', port: 8080 }],
  });
const db = desiredService({ name: 'db', template: { mounts: [volumeMount()] } });
const volumes = [{ name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null }];

let lab: ExecutorLab;
let stop: AbortController;
let previews: Previews;
/** What agents say they have of pr-7 while it is live, and after. */
let inventory: NamespaceInventory;
let left: NamespaceInventory;
let present: { namespace: string; volume: string }[];
let images: Record<string, unknown>;
let ended: Promise<unknown>;
let poke: (namespace: string) => void;

const later = async (check: () => Promise<void>) => await vi.waitFor(check, { timeout: 8_000, interval: 10 });
const wish = (version = '1', over: Parameters<typeof wishOf>[0] = {}) =>
  wishOf({
    pushedAt: new Date().toISOString(),
    fleet: fleetOf([], { desired: [{ namespace: 'staging', services: [db, web(version)], volumes }] }),
    ...over,
  });
const live = async () => await lab.store.log.live('pr-7');
const state = async () => (await previews.view(7))?.state;

/** A controller's term: a new loop and new previews over the same state. */
function start(): void {
  stop = new AbortController();
  const { store, executor, deploys } = lab;
  const namespaces = createNamespaces({ bucket: store.bucket('namespaces') });
  const common = { store, executor, deploys, namespaces, clock: systemClock, log: silentLogger, actor: 'controller' };
  const loop = createLoop({ ...common, gatewayPorts: [80], metrics: createMetrics(), say: () => {} }, stop.signal);
  const made = createPreviews({
    ...common,
    loop,
    httpPort: 8080,
    removeVolume: async ({ namespace, volume }) => {
      present = present.filter((it) => it.namespace !== namespace || it.volume !== volume);
      const tip = await store.log.tip(namespace);
      const last = await store.log.read(namespace, tip);
      if (last?.kind !== 'removed') throw new Error(`${namespace} was not removed yet`);
      await store.log.append({ ...last, n: tip + 1, deploy: deployId(9), volumes: [] });
      return { machines: ['m1'], n: tip + 1 };
    },
  });
  previews = made;
  poke = (namespace) => loop.poke(namespace);
  ended = Promise.all([made.run(stop.signal), loop.stopped]);
}

async function end(): Promise<void> {
  stop.abort();
  await ended;
}

beforeEach(async () => {
  lab = await createExecutorLab();
  inventory = NOTHING;
  left = NOTHING;
  present = [];
  images = { image: image('f') };
  const forEver = new AbortController().signal;
  const { messages } = lab.store;
  messages.serve(['agent', 'm1', 'image'], async () => images, forEver);
  messages.serve(['agent', 'm1', 'inventory'], async () => ((await live()) === null ? left : inventory), forEver);
  messages.serve(['agent', 'm1', 'volumes'], async () => ({ volumes: present }), forEver);
  const specs = [
    serviceSpec({ template: { image: image('b') } }),
    serviceSpec({ name: 'db', template: { image: image('c') } }),
  ];
  await lab.store.specs.put(specs);
  await lab.store.log.append(release(specs, { namespace: 'staging', slots: [] }));
  start();
});
afterEach(async () => {
  await end();
  await lab.close();
});

async function running(version = '1'): Promise<void> {
  await previews.reconcile(wish(version));
  await later(async () => expect(await state()).toBe('running'));
}

describe('a preview', () => {
  it('runs the pull request on top of the images that its source runs, and is no namespace of git', async () => {
    await running();
    expect(await live()).toMatchObject({
      managedBy: 'preview',
      lineage: { forkedFrom: { namespace: 'staging', n: 1 } },
    });
    const specs = await Promise.all(Object.values((await live())?.services ?? {}).map((it) => lab.store.specs.get(it)));
    expect(specs).toMatchObject([{ name: 'db', template: { image: image('c') } }, { template: { image: image('b') } }]);
    expect(await previews.view(7)).toMatchObject({
      urls: [{ service: 'web', url: 'http://web-pr-7.preview.acme.dev:8080/' }],
      forkedFrom: 'staging@1',
      release: 1,
    });
  });

  it('follows a push, and changes nothing when it is asked for twice', async () => {
    await running();
    await previews.reconcile(wish());
    await running('2');
    await later(async () => expect((await live())?.n).toBe(2));
    const [before, after] = [await lab.store.log.read('pr-7', 1), await live()];
    const dbRow = (it: typeof after) => it?.slots.find((row) => row.service === 'db');
    expect(before?.kind === 'release' ? dbRow(before) : null).toEqual(dbRow(after));
  });

  it('never gets a secret of its source, only those of previews', async () => {
    const secret = (namespace: string, version: number) => ({
      namespace,
      name: 'word',
      version,
      at: '2026-01-01T00:00:00.000Z',
      by: 'ops',
      sizeBytes: 4,
      isText: true,
      sealed: 'sealed',
    });
    await lab.store.bucket('secrets').create(['staging', 'word'], secret('staging', 3));
    const fleet = fleetOf([desiredService({ template: { env: { WORD: '{{secret:word}}' } } })]);
    await previews.reconcile(wish('1', { fleet }));
    await later(async () => expect((await previews.view(7))?.message).toContain('slipway secret set previews/word'));
    expect(await live()).toBe(null);
    await lab.store.bucket('secrets').create(['previews', 'word'], secret('previews', 5));
    poke('pr-7');
    await later(async () => expect(await state()).toBe('running'));
    const [digest = ''] = Object.values((await live())?.services ?? {});
    expect(await lab.store.specs.get(digest)).toMatchObject({ template: { secrets: { word: 5 } } });
  });

  it('waits for an image that is on its way', async () => {
    images = { error: { code: 'IMAGE_NOT_FOUND', message: 'no such tag yet' } };
    const services = [desiredService({ imageName: 'registry.example/web:new' })];
    await previews.reconcile(wish('1', { fleet: fleetOf(services) }));
    await later(async () => expect(await state()).toBe('waiting-for-image'));
    const record = await createNamespaces({ bucket: lab.store.bucket('namespaces') }).get('pr-7');
    expect(record.failed?.retryAt).not.toBe(null);
  });

  it('goes without anybody’s consent, with its volumes, once nothing is left of it', async () => {
    await running();
    present = [{ namespace: 'pr-7', volume: 'data' }];
    inventory = { ...NOTHING, containers: ['a', 'b'], volumes: ['data'], routes: ['web-pr-7.preview.acme.dev/'] };
    await previews.end(7, 'the pull request is closed');
    await later(async () => expect(await state()).toBe('removed'));

    expect(present).toEqual([]);
    expect(await live()).toBe(null);
    expect((await previews.view(7))?.message).toBe(
      'the pull request is closed; nothing left: 2 containers, 1 volume, 1 route gone; checked docker, volumes, HAProxy, nft, files, state',
    );
    expect(await lab.store.bucket('namespaces').get(['pr-7'])).toBe(null);
  });

  it('is not called removed while something is left, and says what', async () => {
    await running();
    left = { ...NOTHING, files: ['/var/lib/slipway/dns/names.json'] };
    await previews.end(7, 'closed');
    await later(async () =>
      expect((await previews.view(7))?.message).toContain('left: 1 file (/var/lib/slipway/dns/names.json)'),
    );
    expect(await state()).toBe('removing');
    left = NOTHING;
    await later(async () => expect(await state()).toBe('removed'));
  });

  it('goes when its close was lost, and its end goes on after a restart', async () => {
    await running();
    left = { ...NOTHING, containers: ['a'] };
    await previews.sweep(new Set(), Date.now());
    await later(async () => expect((await previews.view(7))?.message).toContain('left: 1 container (a)'));
    await end();
    left = NOTHING;
    start();
    await later(async () => expect(await state()).toBe('removed'));
  });

  it('that began after it was asked which pull requests are open is left alone', async () => {
    const askedAtMs = Date.now();
    await systemClock.sleep(2);
    await running();
    await previews.sweep(new Set(), askedAtMs);
    expect(await state()).toBe('running');
  });

  it('goes when its time is over', async () => {
    await previews.reconcile(wish('1', { settings: previewSettings('ttl = "500ms"\n') }));
    await later(async () => expect(await state()).toBe('running'));
    await systemClock.sleep(500);
    await previews.sweep(new Set([7]), Date.now());
    await later(async () => expect(await state()).toBe('removed'));
  });

  it('is made anew when its pull request is opened again, and its data is filled again', async () => {
    const seed = desiredService({ name: 'fill', job: true, imageName: 'web:1', ports: [] });
    const seeds = new Map([['staging', seed]]);
    const fleet = { ...fleetOf([], { desired: [{ namespace: 'staging', services: [db, web()], volumes }] }), seeds };
    const jobs = async () => (await lab.store.log.entries('pr-7')).filter((it) => it.kind === 'job').length;
    for (const times of [1, 2]) {
      await previews.reconcile(wish('1', { fleet }));
      await later(async () => expect(await state()).toBe('running'));
      expect(await jobs()).toBe(times);
      await previews.end(7, 'closed');
      await later(async () => expect(await state()).toBe('removed'));
    }
  });

  it('gets its place when another one goes, and is told', async () => {
    const settings = previewSettings('max = 1\n');
    await previews.reconcile(wish('1', { settings }));
    const told: number[] = [];
    previews.onChange((pull) => told.push(pull), stop.signal);
    const second = wish('1', { settings, pull: pullOf({ number: 8 }) });
    expect(await previews.reconcile(second)).toMatchObject({
      state: 'refused',
      message: expect.stringContaining('#7'),
    });
    await later(async () => expect(await state()).toBe('running'));
    await previews.end(7, 'closed');
    await later(async () => expect(told).toContain(8));
    expect((await previews.reconcile(second))?.state).toBe('starting');
  });

  it('does not touch a namespace that somebody else has made', async () => {
    await lab.store.log.append(release([], { namespace: 'pr-7', slots: [], managedBy: 'manual' }));
    expect(await previews.reconcile(wish())).toMatchObject({
      state: 'refused',
      message: 'there is a namespace pr-7 already',
    });
    expect(await previews.end(7, 'closed')).toBe(null);
    expect(await live()).toMatchObject({ managedBy: 'manual' });
  });

  it('of another repository stays at the head that was allowed', async () => {
    const pull = pullOf({ head: { branch: 'x', revision: HEAD, repositoryId: 2 } });
    await previews.reconcile(wish('1', { pull, allowedHead: HEAD }));
    await later(async () => expect(await state()).toBe('running'));
    const moved = { ...pull, head: { ...pull.head, revision: 'e'.repeat(40) } };
    expect(await previews.reconcile(wish('2', { pull: moved, allowedHead: HEAD }))).toMatchObject({
      state: 'running',
      message: expect.stringContaining('another repository'),
    });
    await systemClock.sleep(50);
    expect((await live())?.n).toBe(1);
  });
});
