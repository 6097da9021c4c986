/** Builders for releases: what is live, from the specs that are. */
import { slotName } from '../../schemas/names.ts';
import { Release, type SlotRow } from '../../schemas/release.ts';
import { type ServiceSpec, specDigest, templateDigest } from '../../schemas/service.ts';

/** Deploy ids that differ by their last digit. */
export function deployId(index = 0): string {
  return `000000000000000${'0123456789abcdefghjkmnpqrstvwxyz'.charAt(index % 32)}`;
}

/** Rows of a service, all on one machine unless `machines` names one for each index. */
export function slotRows(spec: ServiceSpec, at: { machines?: readonly string[]; deploy?: string } = {}): SlotRow[] {
  const count = spec.job ? 0 : (spec.placement.replicaCount ?? at.machines?.length ?? 1);
  return Array.from({ length: count }, (_, index) => ({
    slot: slotName(spec.name, index),
    service: spec.name,
    machine: at.machines?.[index % at.machines.length] ?? 'm1',
    spec: specDigest(spec),
    template: templateDigest(spec),
    deploy: at.deploy ?? deployId(),
  }));
}

/** A final release of the specs; rows, routes and host ports follow from them unless given. */
export function release(specs: readonly ServiceSpec[] = [], overrides: Partial<Release> = {}): Release {
  return Release.parse({
    namespace: 'production',
    n: 1,
    at: '2026-01-01T00:00:00.000Z',
    actor: 'loop',
    kind: 'release',
    deploy: deployId(),
    planId: '0'.repeat(64),
    final: true,
    managedBy: 'git',
    source: { revision: null, desiredDigest: '0'.repeat(64) },
    services: Object.fromEntries(specs.map((spec) => [spec.name, specDigest(spec)])),
    slots: specs.flatMap((spec) => slotRows(spec)),
    volumes: [],
    routes: specs.flatMap((spec) => spec.routes.map((route) => ({ service: spec.name, route }))),
    hostPorts: specs.flatMap((spec) =>
      [...spec.tcpPublish, ...spec.template.udpPublish].map(({ protocol, hostPort }) => ({
        service: spec.name,
        protocol,
        hostPort,
      })),
    ),
    lineage: { previous: null, rollbackTo: null },
    ...overrides,
  });
}
