/** destroy: a volume that the log has stopped naming is gone with its data, unless something here still has it. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { Follower } from '../follow.ts';
import type { Journal } from '../journal.ts';
import type { VolumeDriver } from '../ports.ts';
import type { World } from '../world.ts';
import type { Handler } from './handler.ts';

export interface DestroyDeps {
  readonly journal: Pick<Journal, 'view' | 'spec'>;
  readonly follower: Pick<Follower, 'follow'>;
  readonly world: Pick<World, 'containers' | 'refresh'>;
  readonly volumes: Pick<VolumeDriver, 'destroy'>;
}

export function destroyStep({ journal, follower, world, volumes }: DestroyDeps): Handler<'destroy'> {
  /** Of a spec that nobody knows any more the worst is assumed. */
  const mounts = (digest: string, volume: string) =>
    journal.spec(digest)?.template.mounts.some((it) => it.kind === 'volume' && it.volume === volume) ?? true;

  return async ({ n, volume }, { namespace, progress, signal }) => {
    const name = `${namespace}/${volume}`;
    await follower.follow(namespace, signal, n);
    const { live } = journal.view(namespace);
    if (live?.volumes.some((it) => it.volume === volume))
      throw new SlipwayError('VOLUME_IN_USE', `release #${live.n} names volume ${name}; its data is left alone`);
    await world.refresh();
    const own = (world.containers() ?? []).filter((it) => it.identity.namespace === namespace);
    const user = own.find((it) => mounts(it.identity.spec, volume));
    if (user !== undefined) {
      const message = `container ${user.name} still has volume ${name}; its data is left alone: try again when it is gone`;
      throw new SlipwayError('VOLUME_IN_USE', message);
    }
    progress(`removing volume ${volume}`);
    await volumes.destroy(namespace, volume);
    return {};
  };
}
