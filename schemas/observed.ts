/** Observations: what agents see. They expire and decide nothing by their absence. */
import { z } from 'zod';
import { DiskReport } from './disk.ts';
import { DeployId, Digest, MachineName, NamespaceName, ServiceName, SlotName } from './names.ts';

/**
 * `starting`: not ready yet. `ready`: its probe succeeds (or it has none and runs). `unready`: was ready, probe fails.
 * `draining`: gets no new requests. `exited`: its process ended. `paused`: somebody paused it.
 */
export const InstanceState = z.enum(['starting', 'ready', 'unready', 'draining', 'exited', 'paused']);
export type InstanceState = z.infer<typeof InstanceState>;

export const InstanceReport = z.strictObject({
  machine: MachineName,
  namespace: NamespaceName,
  service: ServiceName,
  slot: SlotName,
  spec: Digest,
  template: Digest,
  deploy: DeployId,
  containerId: z.string(),
  /** Where it listens: its address on the bridge, 127.0.0.1 for host network, null for none. */
  address: z.string().nullable(),
  state: InstanceState,
  /** It serves in place of the released instance because a swap put it there. */
  viaSwap: z.boolean(),
  restarts: z.int().min(0),
  exitCode: z.int().nullable(),
  lastProbe: z.string().nullable(),
  /** When it came into this state, as far as the agent saw; missing from older agents. */
  since: z.iso.datetime().optional(),
});
export type InstanceReport = z.infer<typeof InstanceReport>;

/** A full snapshot of one machine, on change and every 30 s. */
export const MachineSnapshot = z.strictObject({
  machine: MachineName,
  at: z.iso.datetime(),
  /** Namespace → highest log entry that gateway and names follow. */
  applied: z.record(NamespaceName, z.int()),
  instances: z.array(InstanceReport),
  cpuMillicores: z.int(),
  memoryBytes: z.int(),
  /** Ports of the gateway: what http listens on, and why a wished one could not be taken. */
  gateway: z.strictObject({ httpPort: z.int().nullable(), problems: z.array(z.string()) }),
  versions: z.record(z.string(), z.string()),
  /** Space where images and state lie; agents before this field say nothing of it. */
  disk: z.array(DiskReport).optional(),
  /** What the agent healed lately, newest last. */
  drift: z.array(z.strictObject({ at: z.iso.datetime(), namespace: NamespaceName, slot: SlotName, what: z.string() })),
});
export type MachineSnapshot = z.infer<typeof MachineSnapshot>;

/** A machine as plans see it. */
export const Machine = z.strictObject({
  name: MachineName,
  labels: z.record(z.string(), z.string()),
  region: z.string().nullable(),
  zone: z.string().nullable(),
  /** Signs nothing yet; kept for the fleet. */
  registeredAt: z.iso.datetime(),
});
export type Machine = z.infer<typeof Machine>;
