/**
 * What a voided deploy made for itself alone: its new volumes go with it. Data is never at stake, so each of these has to
 * hold: the log was read and says void, no entry names the volume, no other deploy ever asked for it, and no job ran.
 */
import type { Logger } from '../schemas/logger.ts';
import type { LogEntry } from '../schemas/release.ts';
import type { Log } from '../store/port.ts';
import type { ListedVolume, VolumeDriver } from './ports.ts';
import type { Seen, World } from './world.ts';

export interface VolumeLeftovers {
  /** To be called when the deploy's containers are gone. Never throws: a volume that stays harms nobody. */
  discard(namespace: string, deploy: string): Promise<void>;
}

/** The volumes that go. Pure. */
export function leftoverVolumes(args: {
  readonly namespace: string;
  readonly deploy: string;
  readonly volumes: readonly ListedVolume[];
  /** The whole log of the namespace. */
  readonly entries: readonly LogEntry[];
  readonly containers: readonly Pick<Seen, 'identity'>[];
}): string[] {
  const { namespace, deploy, entries } = args;
  const own = entries.filter((it) => it.deploy === deploy);
  if (!own.some((it) => it.kind === 'void')) return [];
  // What a job did counts as done for ever, also for whoever deploys next: its volume has to stay with it.
  const jobs = args.containers.some(({ identity: it }) => it.namespace === namespace && it.deploy === deploy && it.job);
  if (jobs || own.some((it) => it.kind === 'job')) return [];
  const named = new Set(
    entries.flatMap((it) => (it.kind === 'release' || it.kind === 'removed' ? it.volumes : [])).map((it) => it.volume),
  );
  return args.volumes
    .filter((it) => it.namespace === namespace && it.deploy === deploy && !named.has(it.volume))
    .map((it) => it.volume);
}

export function createVolumeLeftovers(deps: {
  readonly volumes: Pick<VolumeDriver, 'list' | 'destroy'>;
  readonly world: Pick<World, 'containers'>;
  readonly log: Pick<Log, 'entries'>;
  readonly logger: Logger;
}): VolumeLeftovers {
  const { volumes, world, log, logger } = deps;

  async function leftovers(namespace: string, deploy: string): Promise<string[]> {
    const own = (await volumes.list()).filter((it) => it.namespace === namespace && it.deploy === deploy);
    const containers = world.containers();
    // Most deploys made none: the log is not read for them.
    if (own.length === 0 || containers === null) return [];
    return leftoverVolumes({ namespace, deploy, volumes: own, entries: await log.entries(namespace), containers });
  }

  return {
    async discard(namespace, deploy) {
      try {
        for (const volume of await leftovers(namespace, deploy)) {
          if (await volumes.destroy(namespace, volume, deploy))
            logger.info({ namespace, volume, deploy }, 'removed a volume that only a failed deploy wanted');
        }
      } catch (error) {
        logger.warn({ err: error, namespace, deploy }, 'a volume that only a failed deploy wanted stays');
      }
    },
  };
}
