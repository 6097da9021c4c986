/** Makes containers: image, volumes and network are there first, and a name that is taken is understood. */
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { ServiceSpec } from '../schemas/service.ts';
import { statusOf } from './docker/errors.ts';
import { containerConfig } from './docker/options.ts';
import type { Engine } from './docker/port.ts';
import { LABEL } from './identity.ts';
import type { Images } from './images.ts';
import type { Network, OverlayNetwork, VolumeDriver } from './ports.ts';
import type { SecretsOfSpec } from './secrets/secrets.ts';
import { sleep } from './waiting.ts';

interface CreateArgs {
  readonly name: string;
  readonly namespace: string;
  readonly spec: ServiceSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly job: boolean;
}

export interface Creator {
  /** Gives the id of a new container that was not started. */
  create(args: CreateArgs): Promise<string>;
  /** What a container of the spec needs on the machine before it starts is there, also after a reboot. */
  prepare(namespace: string, spec: ServiceSpec): Promise<void>;
  /** The overlay network exists; looked at anew. */
  refreshOverlay(): Promise<OverlayNetwork>;
}

export interface CreatorDeps {
  readonly engine: Pick<Engine, 'create' | 'inspect' | 'remove'>;
  readonly images: Pick<Images, 'ensure'>;
  readonly volumes: Pick<VolumeDriver, 'list'>;
  readonly network: Pick<Network, 'ensure'>;
  readonly secrets: SecretsOfSpec;
  readonly lifetime: AbortSignal;
}

const NOT_FOUND = 404;
const CONFLICT = 409;
/** A removal that the engine has begun frees its name a moment later. */
const NAME_RETRIES = 5;
const NAME_RETRY_MS = 200;

export function createCreator({ engine, images, volumes, network, secrets, lifetime }: CreatorDeps): Creator {
  let overlay: OverlayNetwork | null = null;

  async function refreshOverlay(): Promise<OverlayNetwork> {
    overlay = await network.ensure();
    return overlay;
  }

  async function volumePaths({ namespace, spec }: CreateArgs): Promise<Record<string, string>> {
    const wanted = spec.template.mounts.flatMap((it) => (it.kind === 'volume' ? [it.volume] : []));
    if (wanted.length === 0) return {};
    const known = (await volumes.list()).filter((it) => it.namespace === namespace);
    const missing = wanted.find((name) => !known.some((it) => it.volume === name));
    if (missing !== undefined)
      throw new SlipwayError('VOLUME_FAILED', `volume ${missing} of ${namespace} does not exist on this machine`);
    return Object.fromEntries(known.map((it) => [it.volume, it.path]));
  }

  async function attempt(args: CreateArgs): Promise<string> {
    const { spec } = args;
    const config = containerConfig({
      template: spec.template,
      stopGracePeriodMs: spec.stopGracePeriodMs,
      labels: args.labels,
      hostname: args.hostname,
      job: args.job,
      overlay: overlay ?? (await refreshOverlay()),
      volumePaths: await volumePaths(args),
      secrets: await secrets.open(args.namespace, spec),
    });
    return await engine.create(args.name, config, lifetime);
  }

  /** What holds the name is a leftover of ours without use, or somebody else's. */
  async function freeName({ name, labels }: CreateArgs): Promise<void> {
    const holder = await engine.inspect(name, lifetime);
    if (holder === null) return;
    if (holder.labels[LABEL.installation] !== labels[LABEL.installation])
      throw new SlipwayError('ENGINE_FAILED', `the container name ${name} is taken by a container that is not ours`);
    if (holder.state === 'removing' || holder.state === 'dead') await engine.remove(holder.id, lifetime);
  }

  return {
    refreshOverlay,
    async prepare(namespace, spec) {
      if (spec.template.secrets !== undefined) await secrets.open(namespace, spec);
    },
    async create(args) {
      for (let tries = 0; ; tries += 1) {
        try {
          return await attempt(args);
        } catch (error) {
          if (!isSlipwayError(error, 'ENGINE_FAILED') || tries >= NAME_RETRIES) throw error;
          if (statusOf(error) === CONFLICT) {
            await freeName(args);
            await sleep(NAME_RETRY_MS, lifetime);
          } else if (statusOf(error) === NOT_FOUND && tries === 0) {
            // The image was removed behind our back, or the network was.
            await images.ensure(args.spec.template.image, args.spec.imageName, () => {}, lifetime);
            await refreshOverlay();
          } else throw error;
        }
      }
    },
  };
}
