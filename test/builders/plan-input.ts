/** Builders for what plans are made from; images are pinned to what each spec says. */
import type { PlanInput } from '../../controller/plan/input.ts';
import { digestOf } from '../../schemas/canonical.ts';
import type { Release, SlotRow } from '../../schemas/release.ts';
import { type Desired, type DesiredService, type ServiceSpec, specDigest } from '../../schemas/service.ts';
import { machine } from './machine.ts';
import { release, slotRows } from './release.ts';

/** The manifest's side of a pinned service. */
export function unpinned(spec: ServiceSpec): DesiredService {
  const { image: _, secrets: __, ...template } = spec.template;
  return { ...spec, template };
}

/** What is live: a release and its specs by digest. Rows of single services may be given by name. */
export function released(
  specs: readonly ServiceSpec[],
  overrides: Partial<Release> = {},
  rows: Readonly<Record<string, readonly SlotRow[]>> = {},
): NonNullable<PlanInput['released']> {
  const slots = specs.flatMap((spec) => rows[spec.name] ?? slotRows(spec));
  return {
    release: release(specs, { slots, ...overrides }),
    specs: new Map(specs.map((spec) => [specDigest(spec), spec])),
  };
}

/** An input that asks for `services` (pinned) on machine m1 with nothing live; desired and images follow from them. */
export function planInput(
  overrides: Partial<PlanInput> & { readonly services?: readonly ServiceSpec[] } = {},
): PlanInput {
  const { services = [], ...rest } = overrides;
  const desired: Desired = rest.desired ?? { namespace: 'production', services: services.map(unpinned), volumes: [] };
  return {
    kind: 'deploy',
    desired,
    desiredDigest: digestOf(desired),
    revision: '1'.repeat(40),
    managedBy: 'git',
    rollbackTo: null,
    tip: rest.released?.release.n ?? 0,
    released: null,
    machines: [machine()],
    images: Object.fromEntries(services.map((spec) => [spec.name, spec.template.image])),
    secrets: Object.fromEntries(
      services.flatMap(({ name, template: { secrets } }) => (secrets === undefined ? [] : [[name, secrets]])),
    ),
    finishedJobs: [],
    others: [],
    volumeRows: rest.released?.release.volumes ?? [],
    keptRows: [],
    gatewayPorts: [80],
    maxRemovePercent: 50,
    approvalRequired: false,
    quarantined: [],
    ...rest,
  };
}
