/**
 * Steps: what executors ask of agents, as they cross the wire. Every step is an idempotent "ensure": sending it
 * again is how its result is asked for. Signed (trust/), fenced, keyed by deploy and step id.
 */
import { z } from 'zod';
import { DeployId, Digest, MachineName, NamespaceName, ServiceName, VolumeName } from './names.ts';
import { SlotRow } from './release.ts';
import { MachineSecret } from './secret.ts';
import { ImageRef, ServiceSpec, VolumeSpec } from './service.ts';

/** Orders executors of one namespace: (generation, revision), lexicographically; a lower one is refused. */
export const Fence = z.strictObject({ generation: z.int().min(1), revision: z.int().min(1) });
export type Fence = z.infer<typeof Fence>;

/** Negative: a is older than b. */
export function compareFences(a: Fence, b: Fence): number {
  return a.generation - b.generation || a.revision - b.revision;
}

/** The secrets that the spec pins, sealed to the machine that the step is for. */
const secrets = z.array(MachineSecret).optional();

/** A slot to fill, with the spec that says how. */
const SlotOrder = z.strictObject({ row: SlotRow, spec: ServiceSpec, secrets });
export type SlotOrder = z.infer<typeof SlotOrder>;

export const StepAction = z.discriminatedUnion('verb', [
  /** The image is on the machine. */
  z.strictObject({ verb: z.literal('pull'), image: ImageRef, imageName: z.string() }),
  /** The volume exists. */
  z.strictObject({ verb: z.literal('volume'), volume: VolumeSpec }),
  /** The job of this template has run to its end; a running or finished one is attached to. Result: `exitCode`. */
  z.strictObject({
    verb: z.literal('job'),
    service: ServiceName,
    template: Digest,
    specDigest: Digest,
    spec: ServiceSpec,
    secrets,
  }),
  /** A candidate fills the slot beside the released instance and is ready. */
  z.strictObject({ verb: z.literal('start'), order: SlotOrder }),
  /** All of `stops` are stopped (kept), all of `starts` are ready; or else `stops` run again and the step failed. */
  z.strictObject({ verb: z.literal('swap'), stops: z.array(SlotRow), starts: z.array(SlotOrder), deadlineMs: z.int() }),
  /** Log entry n of the namespace is on the agent's disk, and gateway and names follow it. */
  z.strictObject({ verb: z.literal('apply'), n: z.int().min(1) }),
  /** Everything of the namespace that release n does not name and no other open deploy holds is drained, stopped, removed. */
  z.strictObject({ verb: z.literal('retire'), n: z.int().min(1) }),
  /** The deploy is over: its late steps are refused, its slots are no longer held, what it voided is gone. */
  z.strictObject({ verb: z.literal('close'), n: z.int().min(1) }),
  /** The volume and its data are gone. Log entry n, or an earlier one, has stopped naming it. */
  z.strictObject({ verb: z.literal('destroy'), n: z.int().min(1), volume: VolumeName }),
]);
export type StepAction = z.infer<typeof StepAction>;
export type StepVerb = StepAction['verb'];

export const Step = z.strictObject({
  installation: z.string(),
  machine: MachineName,
  namespace: NamespaceName,
  deploy: DeployId,
  id: z.string(),
  fence: Fence,
  action: StepAction,
});
export type Step = z.infer<typeof Step>;

/** Evidence of why an instance or job is not what it should be. `logs`: the last lines, escaped where they are shown. */
export const Evidence = z.strictObject({
  slot: z.string(),
  reason: z.string(),
  exitCode: z.int().nullable(),
  lastProbe: z.string().nullable(),
  logs: z.array(z.string()),
});
export type Evidence = z.infer<typeof Evidence>;

/**
 * The answer to a step, each time it is sent. `accepted`: work began or goes on, with what it is doing. `refused`:
 * the agent did nothing and will not (dethroned executor, closed deploy, bad signature).
 */
export const StepReply = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('accepted'), progress: z.string() }),
  z.strictObject({ state: z.literal('done'), exitCode: z.int().nullable(), drained: z.int().nullable() }),
  z.strictObject({ state: z.literal('failed'), code: z.string(), message: z.string(), evidence: z.array(Evidence) }),
  z.strictObject({
    state: z.literal('refused'),
    code: z.enum(['FENCED', 'CLOSED', 'UNTRUSTED', 'NOT_MINE']),
    message: z.string(),
  }),
]);
export type StepReply = z.infer<typeof StepReply>;

/** A step on the wire: the exact bytes that were signed, who signed them, and the ed25519 signature in base64. */
export const SignedStep = z.strictObject({ body: z.string(), keyId: z.string(), signature: z.string() });
export type SignedStep = z.infer<typeof SignedStep>;

/** Published on core NATS when a step ends, so that nobody has to poll; the truth is the reply. */
export const StepEnded = z.strictObject({ deploy: DeployId, id: z.string(), machine: MachineName });
export type StepEnded = z.infer<typeof StepEnded>;
