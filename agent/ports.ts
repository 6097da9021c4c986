/** What the agent's core asks of its neighbours on the machine; adapters stand in docker/, gateway/, dns/, network/, volume/. */
import type { DeployId, NamespaceName, VolumeName } from '../schemas/names.ts';
import type { RoutingTable } from '../schemas/routing.ts';
import type { VolumeSpec } from '../schemas/service.ts';

/** Makes HAProxy follow routing tables. HAProxy is a process of its own: adopted when it runs, started when it does not. */
export interface Gateway {
  /** Start or adopt HAProxy with the last good configuration on disk; keeps it running until the signal aborts, and leaves it running then. */
  start(signal: AbortSignal): Promise<void>;
  /**
   * HAProxy serves the table: new endpoints take requests, and endpoints that it no longer names get no new ones (they
   * stay, draining, until `drain` ends them). Calls are carried out one after another. Idempotent.
   * @throws GATEWAY_FAILED: the last good configuration serves. PORT_CONFLICT: all of the table is served but for ports
   * that other programs hold; `details.conflicts` lists { port, holder, namespace, service }.
   */
  apply(table: RoutingTable): Promise<void>;
  /**
   * Resolves when no session uses the endpoint `id` (in any backend) and its servers are deleted; at the latest after
   * `deadlineMs`, when the sessions that are left are cut. An unknown id is drained already.
   */
  drain(id: string, deadlineMs: number, signal: AbortSignal): Promise<{ readonly cut: number }>;
  status(): { readonly httpPort: number | null; readonly problems: readonly string[] };
  /** Stop HAProxy and remove its files (slipway down). */
  stop(): Promise<void>;
}

/** The resolver is a process of its own that reads one snapshot file; this side writes the file and keeps the process running. */
export interface Names {
  start(signal: AbortSignal): Promise<void>;
  /** The file holds the table's names (atomic rename); the resolver answers by them within some milliseconds. */
  apply(table: RoutingTable): Promise<void>;
  stop(): Promise<void>;
}

export interface OverlayNetwork {
  /** Name of the Docker network that overlay containers join. */
  readonly name: string;
  /** Linux bridge, `slip0` unless another installation has it. */
  readonly bridge: string;
  /** `10.210.N.0/24` */
  readonly subnet: string;
  /** `10.210.N.1`: where the resolver listens, and what containers get as DNS server. */
  readonly gatewayAddress: string;
}

/** Bridge and packet filter of one machine. */
export interface Network {
  /** The bridge exists; the same answer each time. Made again when somebody removed it. */
  ensure(): Promise<OverlayNetwork>;
  /** Containers of different namespaces cannot reach each other; one transaction replaces the whole table. */
  isolate(members: RoutingTable['members']): Promise<void>;
  remove(): Promise<void>;
}

/** `deploy`: its maker, as long as no other deploy has asked for it. */
export interface ListedVolume {
  readonly namespace: NamespaceName;
  readonly volume: VolumeName;
  readonly path: string;
  readonly deploy?: DeployId;
}

/** One kind of storage. `dir`: a folder a volume. */
export interface VolumeDriver {
  readonly kind: string;
  readonly capabilities: { readonly atomicSnapshot: boolean; readonly cheapClone: boolean; readonly quota: boolean };
  /**
   * The volume exists with mode and owner as asked (set only when it is created). Gives its path on the machine.
   * Idempotent. `deploy` is remembered as its maker until another one asks for the same volume.
   */
  ensure(namespace: NamespaceName, volume: VolumeSpec, deploy?: DeployId): Promise<string>;
  list(): Promise<ListedVolume[]>;
  /** With `madeBy`: only while that deploy is the only one that ever asked for it; false: it is another's, and stays. */
  destroy(namespace: NamespaceName, volume: VolumeName, madeBy?: DeployId): Promise<boolean>;
}
