/** Deploy records: one attempt to carry a plan out, and what people and later passes may see of it. */
import { z } from 'zod';
import { DeployId, Digest, NamespaceName } from './names.ts';
import { Plan } from './plan.ts';
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
  actor: z.string(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  state: DeployState,
  plan: Plan,
  /** Phase under way, from 0. */
  phase: z.int().min(0),
  /** Log entries of this deploy that are releases, ascending. */
  releases: z.array(z.int()),
  failure: z.strictObject({ code: z.string(), message: z.string(), evidence: z.array(Evidence) }).nullable(),
});
export type Deploy = z.infer<typeof Deploy>;

export const OPEN_STATES: readonly DeployState[] = ['planning', 'applying', 'committed', 'cleanup-pending'];

/** What the loop remembers of a namespace; a projection plus what people asked for. */
export const NamespaceRecord = z.strictObject({
  namespace: NamespaceName,
  /** The desired digest last carried out to its end. */
  carriedOut: Digest.nullable(),
  /** A (desired digest) that failed: not tried again until it changes or somebody asks. */
  failed: z
    .strictObject({ desiredDigest: Digest, deploy: DeployId.nullable(), code: z.string(), message: z.string() })
    .nullable(),
  /** The loop keeps its hands off. */
  held: z
    .strictObject({ by: z.string(), why: z.string(), at: z.iso.datetime(), desiredDigest: Digest.nullable() })
    .nullable(),
});
export type NamespaceRecord = z.infer<typeof NamespaceRecord>;
