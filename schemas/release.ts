/** Log entries: the immutable history of a namespace. What is live is what its highest release says. */
import { z } from 'zod';
import { DeployId, Digest, MachineName, NamespaceName, Revision, ServiceName, SlotName, VolumeName } from './names.ts';
import { Route } from './service.ts';

/**
 * A replica's place and what fills it. An instance is identified by (slot, template, deploy): `deploy` is the one that
 * first started it, so a kept instance keeps its row through later releases.
 */
export const SlotRow = z.strictObject({
  slot: SlotName,
  service: ServiceName,
  machine: MachineName,
  spec: Digest,
  template: Digest,
  deploy: DeployId,
});
export type SlotRow = z.infer<typeof SlotRow>;

/** Where a volume's data lies. A volume pins the slots that mount it. */
export const VolumeRow = z.strictObject({ volume: VolumeName, machine: MachineName });
export type VolumeRow = z.infer<typeof VolumeRow>;

export const ManagedBy = z.enum(['git', 'manual', 'preview']);
export type ManagedBy = z.infer<typeof ManagedBy>;

/** Where a desired state came from; `revision` is null for a file or a patch given by hand. */
export const SourceRef = z.strictObject({ revision: Revision.nullable(), desiredDigest: Digest });
export type SourceRef = z.infer<typeof SourceRef>;

/** A release of another namespace that this one came from. */
export const ReleaseRef = z.strictObject({ namespace: NamespaceName, n: z.int().min(1) });
export type ReleaseRef = z.infer<typeof ReleaseRef>;

const entry = { namespace: NamespaceName, n: z.int().min(1), at: z.iso.datetime(), actor: z.string() };

export const Release = z.strictObject({
  ...entry,
  kind: z.literal('release'),
  deploy: DeployId,
  planId: Digest,
  /** false: a checkpoint of a deploy that goes on. */
  final: z.boolean(),
  managedBy: ManagedBy,
  source: SourceRef,
  /** Service → spec digest. */
  services: z.record(ServiceName, Digest),
  slots: z.array(SlotRow),
  volumes: z.array(VolumeRow),
  routes: z.array(z.strictObject({ service: ServiceName, route: Route })),
  /** tcp host ports that the gateway holds for this namespace, and udp ones that the engine holds. */
  hostPorts: z.array(z.strictObject({ service: ServiceName, protocol: z.enum(['tcp', 'udp']), hostPort: z.int() })),
  lineage: z.strictObject({
    previous: z.int().min(1).nullable(),
    /** Release that a rollback returns to. */
    rollbackTo: z.int().min(1).nullable(),
    /** What it was forked from last; later releases of the fork keep it. Absent: it is no fork. */
    forkedFrom: ReleaseRef.optional(),
    /** Whose image digests it took over. Absent: it was not promoted. */
    promotedFrom: ReleaseRef.optional(),
  }),
});
export type Release = z.infer<typeof Release>;

/** The end of a deploy that did not commit; appended before anything of it is undone. */
const VoidEntry = z.strictObject({ ...entry, kind: z.literal('void'), deploy: DeployId, reason: z.string() });
export type VoidEntry = z.infer<typeof VoidEntry>;

/** A job ran to its end, once for its template digest. */
const JobEntry = z.strictObject({
  ...entry,
  kind: z.literal('job'),
  deploy: DeployId,
  service: ServiceName,
  template: Digest,
  exitCode: z.int(),
});
export type JobEntry = z.infer<typeof JobEntry>;

/** The namespace was removed; its volumes stay until they are removed by name. */
const RemovedEntry = z.strictObject({
  ...entry,
  kind: z.literal('removed'),
  deploy: DeployId,
  planId: Digest,
  volumes: z.array(VolumeRow),
});
export type RemovedEntry = z.infer<typeof RemovedEntry>;

export const LogEntry = z.discriminatedUnion('kind', [Release, VoidEntry, JobEntry, RemovedEntry]);
export type LogEntry = z.infer<typeof LogEntry>;
