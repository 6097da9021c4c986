/** Deploy records: one attempt to carry a plan out, and what people and later passes may see of it. */
import { z } from 'zod';
import { AgreementKind } from './consent.ts';
import { DeployId, Digest, MachineName, NamespaceName } from './names.ts';
import { Downtime } from './plan.ts';
import { ManagedBy, SourceRef } from './release.ts';
import { Evidence } from './step.ts';

export const DeployState = z.enum([
  'planning',
  'applying',
  'committed',
  'done',
  'failed',
  'failed-after-checkpoint',
  'cleanup-pending',
  'superseded',
  'aborted',
]);
export type DeployState = z.infer<typeof DeployState>;

/** Written before the first step is sent, so that whoever takes the lease next finds it. */
export const Deploy = z.strictObject({
  id: DeployId,
  namespace: NamespaceName,
  kind: z.enum(['deploy', 'rollback', 'remove']),
  actor: z.string(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  state: DeployState,
  planId: Digest,
  /** Highest log entry when it began: its own entries come after. */
  tip: z.int().min(0),
  managedBy: ManagedBy,
  source: SourceRef,
  rollbackTo: z.int().nullable(),
  /** Where the deploy acts, in order. */
  machines: z.array(MachineName),
  counts: z.strictObject({ create: z.int(), update: z.int(), remove: z.int(), unchanged: z.int() }),
  downtime: Downtime,
  /** Titles of the phases, and the one under way, from 0. */
  phases: z.array(z.string()),
  phase: z.int().min(0),
  /** Log entries of this deploy that are releases, ascending. */
  releases: z.array(z.int()),
  /** Machines that did not yet confirm what is left to clean up. */
  pending: z.array(z.string()),
  failure: z.strictObject({ code: z.string(), message: z.string(), evidence: z.array(Evidence) }).nullable(),
  /** What it took to be allowed, who said yes and why; absent: it took nothing. */
  agreements: z.array(z.strictObject({ kind: AgreementKind, by: z.string(), why: z.string() })).optional(),
});
export type Deploy = z.infer<typeof Deploy>;

/** What the loop remembers of a namespace; a projection plus what people asked for. */
export const NamespaceRecord = z.strictObject({
  namespace: NamespaceName,
  /** The desired digest last carried out to its end. */
  carriedOut: Digest.nullable(),
  /** Versions of secrets that were carried out with it (secretsDigest); null or left out: it names none. */
  secrets: Digest.nullable().optional(),
  /** A desired digest that failed: not tried again until it changes or somebody asks. `retryAt`: tried again then. */
  failed: z
    .strictObject({
      desiredDigest: Digest,
      /** Versions of secrets that it failed with. */
      secrets: Digest.nullable().optional(),
      deploy: DeployId.nullable(),
      code: z.string(),
      message: z.string(),
      retryAt: z.iso.datetime().nullable(),
      attempts: z.int(),
    })
    .nullable(),
  /** The loop keeps its hands off, until `resume` or another desired digest. */
  held: z
    .strictObject({ by: z.string(), why: z.string(), at: z.iso.datetime(), desiredDigest: Digest.nullable() })
    .nullable(),
});
export type NamespaceRecord = z.infer<typeof NamespaceRecord>;

/** What somebody asked of the executor that holds a namespace's lease. */
export const Intent = z.strictObject({
  kind: z.literal('abort'),
  deploy: DeployId,
  by: z.string(),
  at: z.iso.datetime(),
});
export type Intent = z.infer<typeof Intent>;
