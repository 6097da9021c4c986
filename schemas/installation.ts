/**
 * The installation: what `slipway up` wrote once on this machine, and where everything of it lies.
 *
 * All paths derive from one state directory (default /var/lib/slipway; `--state-dir`, SLIPWAY_STATE_DIR).
 */
import { z } from 'zod';
import { MachineName } from './names.ts';

export const Installation = z.strictObject({
  /** 8 lower-case hex digits; every container, network, rule and process that we make carries it. */
  id: z.string().regex(/^[0-9a-f]{8}$/),
  machine: MachineName,
  /** Third number of 10.210.N.0/24. */
  subnetIndex: z.int().min(0).max(255),
  bridge: z.string().regex(/^[a-z0-9]{1,15}$/),
  /** Where the gateway listens for http. */
  httpPort: z.int().min(1).max(65535),
  /** NATS url; null: the embedded server, whose url lies in `natsUrlFile`. */
  natsUrl: z.string().nullable(),
  dockerSocket: z.string(),
});
export type Installation = z.infer<typeof Installation>;

/** Every path below the state directory, in one place. */
export function statePaths(stateDir: string) {
  return {
    root: stateDir,
    installation: `${stateDir}/installation.json`,
    keys: `${stateDir}/keys`,
    nats: `${stateDir}/nats`,
    natsUrlFile: `${stateDir}/nats/url`,
    controller: `${stateDir}/controller`,
    agent: `${stateDir}/agent`,
    /** Images that the agent pulled. */
    pulledImages: `${stateDir}/agent/images.json`,
    gateway: `${stateDir}/gateway`,
    dns: `${stateDir}/dns`,
    volumes: `${stateDir}/volumes`,
    /** Memory with the secrets that containers see as files. */
    secretFiles: `${stateDir}/secret-files`,
    log: `${stateDir}/log`,
    /** Commands that go on until somebody ends them. */
    running: `${stateDir}/running`,
    fleet: `${stateDir}/fleet`,
    /** There while a restore has not ended. */
    restoring: `${stateDir}/restoring.json`,
  } as const;
}
export type StatePaths = ReturnType<typeof statePaths>;
