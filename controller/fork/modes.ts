/** How a fork treats each service and volume of its source: `N=MODE` of commands, settings and manifests. Pure. */
import { VolumeMode, type VolumeSpec } from '../../schemas/service.ts';

/** `fork`: the fork has one of its own. `skip`: it has none. */
export const SERVICE_MODES = ['fork', 'skip'] as const;
export type ServiceMode = (typeof SERVICE_MODES)[number];
export const VOLUME_MODES = VolumeMode.options;

export interface ForkModes {
  /** Of services that are not named. */
  readonly service: ServiceMode;
  readonly services: Readonly<Record<string, ServiceMode>>;
  /** Of volumes that are not named; null: as settings and manifest say. */
  readonly volume: VolumeMode | null;
  readonly volumes: Readonly<Record<string, VolumeMode>>;
}

/** Everything is forked, volumes as settings and manifest say. */
export const DEFAULT_MODES: ForkModes = { service: 'fork', services: {}, volume: null, volumes: {} };

/** What a volume becomes: what was asked for it, for all, by the settings, by its manifest; else an empty one. */
export function volumeModeOf(
  volume: VolumeSpec,
  modes: ForkModes,
  settings: Readonly<Record<string, VolumeMode>>,
): VolumeMode {
  return own(modes.volumes, volume.name) ?? modes.volume ?? own(settings, volume.name) ?? volume.preview ?? 'fresh';
}

/** What a service becomes. */
export function serviceModeOf(service: string, modes: ForkModes): ServiceMode {
  return own(modes.services, service) ?? modes.service;
}

/** Names that modes speak of and that are not there, as sentences. */
export function unknownNames(
  modes: ForkModes,
  there: { readonly services: readonly string[]; readonly volumes: readonly string[] },
): string[] {
  const missing = (given: object, known: readonly string[], what: string) =>
    Object.keys(given)
      .filter((it) => !known.includes(it))
      .map((it) => `the source has no ${what} ${it}: it has ${known.join(', ') || 'none'}`);
  return [...missing(modes.services, there.services, 'service'), ...missing(modes.volumes, there.volumes, 'volume')];
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
