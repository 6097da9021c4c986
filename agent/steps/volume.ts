/** volume: it exists on this machine. */
import type { VolumeDriver } from '../ports.ts';
import type { Handler } from './handler.ts';

export function volumeStep({ volumes }: { volumes: Pick<VolumeDriver, 'ensure'> }): Handler<'volume'> {
  return async ({ volume }, { namespace, deploy, progress }) => {
    progress(`making volume ${volume.name}`);
    await volumes.ensure(namespace, volume, deploy);
    return {};
  };
}
