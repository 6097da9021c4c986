/** A patch of one service, as data: what somebody asked for by hand. Everything that it does not name stays as it is live. */
import type { ServiceName } from '../../schemas/names.ts';

export interface ServicePatch {
  readonly service: ServiceName;
  /** null: stays. A service that is not live yet needs one. */
  readonly image: string | null;
  /** Merged by name; `{{env:NAME}}` is filled from the settings. */
  readonly env: Readonly<Record<string, string>>;
  /** Replace what has the same host port and protocol. */
  readonly ports: readonly PatchPort[];
  /** Replace what has the same target. */
  readonly mounts: readonly PatchMount[];
  /** As a manifest would say it: not checked yet. */
  readonly network: string | null;
  readonly restart: string | null;
  /** Added to the routes; leads to `port`, to the first published tcp port, or to the only port there is. */
  readonly hostname: string | null;
  /** A tcp port that the containers listen on. */
  readonly port: number | null;
  readonly replicaCount: number | null;
}

export interface PatchPort {
  readonly hostPort: number;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
}

/** `source`: a path of the machine when it begins with `/`, else a volume of the namespace. */
export interface PatchMount {
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
}

/** A patch that changes nothing, with what is given on top. */
export function servicePatch(patch: Pick<ServicePatch, 'service'> & Partial<ServicePatch>): ServicePatch {
  return {
    image: null,
    env: {},
    ports: [],
    mounts: [],
    network: null,
    restart: null,
    hostname: null,
    port: null,
    replicaCount: null,
    ...patch,
  };
}

/** Whether ports or routes change. */
export function touchesTraffic(patch: ServicePatch): boolean {
  return patch.ports.length > 0 || patch.hostname !== null || patch.port !== null;
}

/** Whether the fleet's settings have a say: its policy, or its `[env]`. */
export function needsSettings(patch: ServicePatch): boolean {
  return (
    patch.network === 'host' ||
    patch.mounts.some((it) => it.source.startsWith('/')) ||
    Object.values(patch.env).some((it) => it.includes('{{'))
  );
}
