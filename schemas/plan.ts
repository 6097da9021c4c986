/** Plans: what will happen, as data. The plan shown is the plan run. */
import { z } from 'zod';
import { DeployId, Digest, MachineName, NamespaceName, Revision, ServiceName, SlotName } from './names.ts';
import { ManagedBy, ReleaseRef, VolumeRow } from './release.ts';
import { ImageRef, ServiceSpec, VolumeSpec } from './service.ts';

/** A slot of the target. `deploy` null: the deploy that carries the plan out. */
export const PlannedSlot = z.strictObject({
  slot: SlotName,
  service: ServiceName,
  machine: MachineName,
  spec: Digest,
  template: Digest,
  deploy: DeployId.nullable(),
});
export type PlannedSlot = z.infer<typeof PlannedSlot>;

/** What an agent is asked to make true before the commit point; ids are unique in a plan and stable. */
export const PlanStep = z.discriminatedUnion('verb', [
  z.strictObject({
    id: z.string(),
    verb: z.literal('pull'),
    machine: MachineName,
    image: ImageRef,
    imageName: z.string(),
  }),
  z.strictObject({ id: z.string(), verb: z.literal('volume'), machine: MachineName, volume: VolumeSpec }),
  z.strictObject({
    id: z.string(),
    verb: z.literal('job'),
    machine: MachineName,
    service: ServiceName,
    spec: Digest,
    template: Digest,
  }),
  z.strictObject({ id: z.string(), verb: z.literal('start'), machine: MachineName, slot: PlannedSlot }),
  /** Stop-first: stop all of `stops`, then start all of `starts`; back to `stops` when these are not ready in time. */
  z.strictObject({
    id: z.string(),
    verb: z.literal('swap'),
    machine: MachineName,
    stops: z.array(PlannedSlot),
    starts: z.array(PlannedSlot),
    deadlineMs: z.int(),
  }),
]);
export type PlanStep = z.infer<typeof PlanStep>;

/**
 * Steps of a phase may run side by side (at most 4 a machine). `commit` says what is appended when all are done:
 * nothing, a checkpoint release with `slots`, or the final one.
 */
export const Phase = z.strictObject({
  title: z.string(),
  steps: z.array(PlanStep),
  commit: z.enum(['none', 'checkpoint', 'final']),
  /** The slot table of the release that this phase commits; empty with `none`. */
  slots: z.array(PlannedSlot),
  /** How long what this phase replaces is kept running, out of routing (blue-green). */
  holdMs: z.int().min(0),
});
export type Phase = z.infer<typeof Phase>;

/** One differing field; values are text for display. */
export const FieldChange = z.strictObject({ path: z.string(), before: z.string(), after: z.string() });
export type FieldChange = z.infer<typeof FieldChange>;

export const Change = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('create'), service: ServiceName }),
  z.strictObject({ kind: z.literal('remove'), service: ServiceName }),
  z.strictObject({ kind: z.literal('unchanged'), service: ServiceName }),
  z.strictObject({
    kind: z.literal('update'),
    service: ServiceName,
    disruption: z.enum(['in-place', 'recreate']),
    fields: z.array(FieldChange),
  }),
]);
export type Change = z.infer<typeof Change>;

/** `none`: requests are never refused. `swap`: stop-first, the named services are away while one replaces the other. */
export const Downtime = z.strictObject({
  class: z.enum(['none', 'swap']),
  services: z.array(
    z.strictObject({ service: ServiceName, expectedMs: z.int(), worstMs: z.int(), reason: z.string() }),
  ),
});
export type Downtime = z.infer<typeof Downtime>;

/** What a plan was made from; checked again when it is carried out. */
const Basis = z.strictObject({
  /** Highest entry of the namespace's log; 0: none. */
  tip: z.int().min(0),
  /** The live release; null: none. */
  release: z.int().min(1).nullable(),
  revision: Revision.nullable(),
  desiredDigest: Digest,
  images: z.record(z.string(), ImageRef),
});
export type Basis = z.infer<typeof Basis>;

export const Plan = z.strictObject({
  /** sha256 of the effect (DESIGN: target digests, jobs, removals, routes, volumes, phase order, downtime class). */
  id: Digest,
  namespace: NamespaceName,
  kind: z.enum(['deploy', 'rollback', 'remove']),
  managedBy: ManagedBy,
  basis: Basis,
  changes: z.array(Change),
  /** The services of the target, in code-unit order of name. */
  services: z.array(ServiceSpec),
  volumes: z.array(VolumeSpec),
  volumeRows: z.array(VolumeRow),
  phases: z.array(Phase),
  downtime: Downtime,
  warnings: z.array(z.string()),
  /** Removals and other steps that cannot be undone, as sentences. */
  destructive: z.array(z.string()),
  /** Why a person must consent before this runs, as sentences; empty: nobody needs to. */
  consents: z.array(z.string()),
  /** Why the plan must be approved before it runs, as sentences; empty: nobody needs to. Not part of its id. */
  approvals: z.array(z.string()).default([]),
  /** Release that a rollback returns to. */
  rollbackTo: z.int().min(1).nullable(),
  /** For the lineage of its releases; not part of its id. */
  forkedFrom: ReleaseRef.optional(),
  promotedFrom: ReleaseRef.optional(),
});
export type Plan = z.infer<typeof Plan>;

/** Whether carrying the plan out would change anything. */
export function hasChanges(plan: Plan): boolean {
  return plan.changes.some((it) => it.kind !== 'unchanged') || plan.phases.some((it) => it.steps.length > 0);
}
