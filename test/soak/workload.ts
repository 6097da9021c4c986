/** What the soak test deploys: two replicas behind the gateway, one writer to a volume, and a job now and then. */
import { webManifest, webService } from '../kill/lab.ts';
import { WEB_IMAGE } from '../lab/images.ts';

/** Each is an env VERSION. */
export interface Versions {
  readonly web: number;
  readonly store: number;
  readonly job: number;
}

export const NAMESPACE = 'production';
export const VOLUME = 'data';
/** Present in the volume when two writers were there at once. */
export const VIOLATIONS = 'violations';
/** Who wrote last. */
export const TURN = 'turn';

/** The whole namespace at these versions. */
export function manifestOf({ web, store, job }: Versions): object {
  const writer = {
    mounts: [{ source: { volume: VOLUME }, target: '/data' }],
    stop_grace_period: '10s',
  };
  const task = {
    name: 'task',
    job: true,
    template: { image: WEB_IMAGE, entrypoint: ['/bin/sh', '-c'], command: ['sleep 1'], env: { VERSION: String(job) } },
  };
  const patient = { deadline: '30s' };
  return webManifest(
    [
      webService('web', String(web), '', { ...patient, placement: { replicated: { count: 2 } } }),
      webService('store', String(store), '', { ...patient, template: writer }, false),
      task,
    ],
    [{ name: VOLUME }],
  );
}

/** `slot version state` of every container but jobs, once these versions are live. */
export function instancesOf({ web, store }: Versions): string[] {
  return [`store.0 ${store} running`, `web.0 ${web} running`, `web.1 ${web} running`];
}
