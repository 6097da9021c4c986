/** Which image strings are resolved again, and who is asked. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FreshServices, pinImages } from '../../../controller/execute/images.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { DesiredService, ServiceSpec } from '../../../schemas/service.ts';
import { systemClock } from '../../../store/clock.ts';
import { createMemoryStore } from '../../../store/memory.ts';
import type { Store } from '../../../store/port.ts';
import { unpinned } from '../../builders/plan-input.ts';
import { image, serviceSpec } from '../../builders/service.ts';

let store: Store;
let asked: string[];
let stop: AbortController;

beforeEach(() => {
  asked = [];
  stop = new AbortController();
  store = createMemoryStore({ clock: systemClock, log: silentLogger });
  store.messages.serve(
    ['agent', 'm1', 'image'],
    async (payload) => {
      const { imageName, pullPolicy } = payload as { imageName: string; pullPolicy: string };
      asked.push(`${imageName} ${pullPolicy}`);
      if (imageName.startsWith('built')) return { image: { localId: `sha256:${'e'.repeat(64)}`, name: imageName } };
      return { image: image(pullPolicy === 'always' ? 'c' : 'b') };
    },
    stop.signal,
  );
});

afterEach(() => stop.abort());

const web = serviceSpec({ name: 'web', imageName: 'reg/web:1' });
const api = serviceSpec({ name: 'api', imageName: 'reg/api:1', pullPolicy: 'always' });

async function pin(services: readonly DesiredService[], fresh: FreshServices, refresh = false, live = [web, api]) {
  const released = new Map<string, ServiceSpec>(live.map((it) => [it.name, it]));
  const { images } = await pinImages({
    services,
    released,
    machine: 'm1',
    messages: store.messages,
    fresh,
    refresh,
    onlyRegistries: null,
  });
  return images;
}

it('a service that may not be resolved again keeps what is live, whatever its string and its pull policy say', async () => {
  const both = [{ ...unpinned(web), imageName: 'reg/web:2' }, unpinned(api)];
  expect(await pin(both, new Set(['web']))).toEqual({ web: image('b'), api: image('a') });
  expect(asked).toEqual(['reg/web:2 if-not-present']);
  expect(await pin(both, new Set(), true)).toEqual({ web: image('a'), api: image('a') });
  expect(await pin(both, 'all')).toEqual({ web: image('b'), api: image('c') });
});

it('on request the registry is asked what the tag means now, not only the engine that once pulled it', async () => {
  expect(await pin([unpinned(web)], 'all')).toEqual({ web: image('a') });
  expect(await pin([unpinned(web)], new Set(['web']), true)).toEqual({ web: image('c') });
});

it('an image that was built on the machine has no registry to ask', async () => {
  const built = serviceSpec({ name: 'web', imageName: 'built:1' });
  await pin([unpinned(built)], 'all', true, [built]);
  expect(asked).toEqual(['built:1 if-not-present']);
});

it('of a registry that settings do not list only what an engine has is taken', async () => {
  const services = ['nginx:1', 'ghcr.io/acme/web:2', 'ghcr.io/acmeevil/web:2', '127.0.0.1:5000/x:1'].map(
    (imageName, i) => unpinned(serviceSpec({ name: `s${i}`, imageName })),
  );
  const onlyRegistries = ['ghcr.io/acme', 'docker.io/library'];
  const common = { released: new Map(), machine: 'm1', messages: store.messages, refresh: true };
  await pinImages({ ...common, services, fresh: 'all', onlyRegistries });
  expect(asked.filter((it) => !it.endsWith(' never')).toSorted()).toEqual([
    'ghcr.io/acme/web:2 always',
    'ghcr.io/acme/web:2 if-not-present',
    'nginx:1 always',
    'nginx:1 if-not-present',
  ]);
  expect(asked.filter((it) => it.endsWith(' never')).toSorted()).toEqual([
    '127.0.0.1:5000/x:1 never',
    'ghcr.io/acmeevil/web:2 never',
  ]);
});

it('takes what a lock pins as it is, whatever is live and whatever the pull policy says, and asks nobody', async () => {
  const locked = [web, api].map((it) => ({ ...unpinned(it), lockedImage: image('d') }));
  expect(await pin(locked, 'all')).toEqual({ web: image('d'), api: image('d') });
  expect(await pin(locked, 'all', true)).toEqual({ web: image('d'), api: image('d') });
  expect(asked).toEqual([]);
});
