/** What routes lead to: a backend for each (namespace, service, port) that a route names, with its endpoints. Pure. */
import type { Digest, MachineName } from '../schemas/names.ts';
import type { InstanceReport } from '../schemas/observed.ts';
import type { Release, SlotRow } from '../schemas/release.ts';
import type { Backend, Endpoint } from '../schemas/routing.ts';
import type { ServiceSpec } from '../schemas/service.ts';
import { compareText } from './normalise.ts';
import { addressFrom, type ReportIndex, serving } from './serving.ts';

/** A live release, and the specs that it names by digest. */
export interface LiveRelease {
  readonly release: Release;
  readonly specs: ReadonlyMap<Digest, ServiceSpec>;
}

/** What a route asks for. `local`: only instances of this machine. */
export interface BackendWish {
  readonly live: LiveRelease;
  readonly spec: ServiceSpec;
  readonly port: number;
  readonly local: boolean;
}

/** `<namespace>/<service>/<port>`, with `/local` where only instances of one machine answer. */
export function backendKey({ live, spec, port, local }: BackendWish): string {
  return [live.release.namespace, spec.name, port, ...(local ? ['local'] : [])].join('/');
}

/** The backend with every endpoint that serves it, in order of id; with none it answers 503. */
export function backend(wish: BackendWish, index: ReportIndex, machine: MachineName): Backend {
  const { live, spec, local } = wish;
  const endpoints = new Map<string, Endpoint>();
  for (const row of slotsOf(live.release, spec.name)) {
    if (local && row.machine !== machine) continue;
    for (const report of serving(row, live.release.namespace, index)) {
      const address = addressFrom(machine, report);
      if (address === null) continue;
      const id = report.containerId.slice(0, 12);
      endpoints.set(id, { id, address, port: portOf(wish, row, report) });
    }
  }
  return { key: backendKey(wish), endpoints: [...endpoints.values()].toSorted((a, b) => compareText(a.id, b.id)) };
}

/** The slots of a service that a release names. */
export function slotsOf(release: Release, service: string): SlotRow[] {
  return release.slots.filter((it) => it.service === service);
}

/**
 * Where this instance listens for what the route calls `port`. Between checkpoints a slot may still run an older spec,
 * in which the port of that name has another number.
 */
function portOf({ live, spec, port }: BackendWish, row: SlotRow, report: InstanceReport): number {
  const released = report.template === row.template && report.deploy === row.deploy;
  const own = live.specs.get(released ? row.spec : report.spec);
  const name = spec.ports.find((it) => it.port === port && it.protocol === 'tcp')?.name;
  if (own === undefined || name === undefined) return port;
  return own.ports.find((it) => it.name === name && it.protocol === 'tcp')?.port ?? port;
}
