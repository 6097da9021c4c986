/** What the kill tests deploy: every strategy, as an update and as the first deploy and the removal of a service. */
import { SECRET, type Target, webManifest, webService } from './lab.ts';

export interface KillCase {
  readonly name: string;
  readonly class: 'start-first' | 'stop-first';
  /** `update`: the same both ways. `come-and-go`: one way a first deploy, the other way a removal. */
  readonly kind: 'update' | 'come-and-go';
  /** Both directions are deployed in turn. */
  readonly targets: readonly [Target, Target];
}

type Service = (version: string, nonce: string) => object;

const VOLUMES = [{ name: 'data' }];
const writes = (volume: string) => ({ mounts: [{ source: { volume }, target: '/data' }] });
const BATCHES = {
  placement: { replicated: { count: 3 } },
  strategy: { rolling: { max_surge: 1, max_unavailable: 0 } },
};
const RECREATE = { placement: { replicated: { count: 2 } }, strategy: 'recreate' };
const BLUE_GREEN = { strategy: { blue_green: { hold: '0s' } } };

function update(args: {
  readonly name: string;
  readonly class: KillCase['class'];
  readonly slots: readonly string[];
  readonly service: Service;
  readonly volumes?: readonly object[];
}): KillCase {
  const target = (version: string): Target => ({
    name: `${args.name}-${version}`.replaceAll(' ', '-'),
    manifest: (nonce) => webManifest([args.service(version, nonce)], args.volumes),
    instances: args.slots.map((slot) => `${slot} ${version}`),
    mayPause: args.class === 'stop-first',
  });
  return { name: args.name, class: args.class, kind: 'update', targets: [target('1'), target('2')] };
}

/** A second service comes and goes beside one that must not notice. */
function comeAndGo(args: {
  readonly name: string;
  readonly service: Service;
  readonly volumes?: (nonce: string) => readonly object[];
}): KillCase {
  const web = webService('web', '1', 'stays');
  const target = (suffix: string, service: Service | null, instances: readonly string[]): Target => ({
    name: `${args.name}-${suffix}`.replaceAll(' ', '-'),
    manifest: (nonce) => webManifest(service === null ? [web] : [web, service('1', nonce)], args.volumes?.(nonce)),
    instances,
    mayPause: false,
  });
  const without = target('without', null, ['web.0 1']);
  const beside = target('with', args.service, ['web.0 1', 'extra.0 1']);
  return { name: args.name, class: 'start-first', kind: 'come-and-go', targets: [without, beside] };
}

export const START_FIRST = update({
  name: 'rolling',
  class: 'start-first',
  slots: ['web.0'],
  // With a secret in the environment and as a file, so that its way is killed at as well.
  service: (version) =>
    webService('web', version, `{{secret:${SECRET}}}`, {
      template: { mounts: [{ source: { secret: SECRET }, target: '/run/secrets/word' }] },
    }),
});

export const STOP_FIRST = update({
  name: 'one writable mount',
  class: 'stop-first',
  slots: ['web.0'],
  service: (version, nonce) => webService('web', version, nonce, { template: writes('data') }),
  volumes: VOLUMES,
});

/** The other strategies. */
export const STRATEGIES: readonly KillCase[] = [
  update({
    name: 'batches',
    class: 'start-first',
    slots: ['web.0', 'web.1', 'web.2'],
    service: (version, nonce) => webService('web', version, nonce, BATCHES),
  }),
  update({
    name: 'recreate',
    class: 'stop-first',
    slots: ['web.0', 'web.1'],
    service: (version, nonce) => webService('web', version, nonce, RECREATE),
  }),
  update({
    name: 'blue-green',
    class: 'start-first',
    slots: ['web.0'],
    service: (version, nonce) => webService('web', version, nonce, BLUE_GREEN),
  }),
];

/** First deploys and removals. */
export const ARRIVALS: readonly KillCase[] = [
  comeAndGo({
    name: 'a service comes and goes',
    service: (version, nonce) => webService('extra', version, nonce, {}, false),
  }),
  comeAndGo({
    name: 'a service with a volume comes and goes',
    service: (version, nonce) => webService('extra', version, nonce, { template: writes(`data-${nonce}`) }, false),
    // Each time another one, so that it is made each time; those that were made before stay.
    volumes: (nonce) => Array.from({ length: Number(nonce) }, (_, i) => ({ name: `data-${i + 1}` })),
  }),
];
