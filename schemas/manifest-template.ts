/** The `template` of a service as users write it: everything that shapes a container. */
import { z } from 'zod';
import * as value from './manifest-values.ts';

/** A field that is known, and refused: `not: {}` makes editors mark it. */
export function notYet(what: string) {
  return z
    .unknown()
    .optional()
    .meta({ description: `${what} Not supported yet.`, not: {} });
}

export const ManifestMount = z.strictObject({
  source: z
    .union([
      z.enum(['tmpfs']),
      z.strictObject({
        volume: value.Name.optional().describe('A volume of this namespace.'),
        bind: value.AbsolutePath.optional().describe(
          'A path of the machine. Only in namespaces that `[policy] bind_mounts` lists.',
        ),
        tmpfs: z
          .strictObject({ size: value.Size.optional().describe('How large it may grow; default: half of the memory.') })
          .optional()
          .describe('Memory; gone with the container.'),
        secret: value.Secret.optional().describe(
          'A secret of this namespace, as a file with exactly its bytes, on memory; everybody in the container may read it.',
        ),
      }),
    ])
    .describe('Exactly one of `{ volume = … }`, `{ bind = … }`, `{ tmpfs = … }`, `{ secret = … }` or `"tmpfs"`.'),
  target: value.AbsolutePath.describe('Where it appears in the container.'),
  readonly: z.boolean().optional().describe('The container cannot write to it. Default: false.'),
});
export type ManifestMount = z.infer<typeof ManifestMount>;

const Resources = z.strictObject({
  cpu: value.Cpu.optional().describe('CPU limit: "500m" is half a core. Default: none.'),
  memory: value.Size.optional().describe(
    'Memory limit: "256Mi". K, M, G, T and Ki, Mi, Gi, Ti are powers of 1024; kB, MB, GB, TB powers of 1000. Default: none.',
  ),
  cpu_millicores: z.int().min(1).optional().describe('Ployz: the same as `cpu`, in thousandths of a core.'),
  memory_bytes: z.int().min(1).optional().describe('Ployz: the same as `memory`, in bytes.'),
  gpu: notYet('Graphics processors.'),
  vram: notYet('Memory of graphics processors.'),
});

const LogLimits = z.strictObject({
  max_size: value.Size.optional().describe('Size of one log file. Default: "10Mi".'),
  max_files: z.int().min(1).max(1000).optional().describe('How many are kept. Default: 3.'),
});

/** Labels of a container. */
export const Labels = z.record(value.LabelName, z.string());

export const ManifestTemplate = z.strictObject({
  image: value.Image.describe('Image with tag or digest. A tag is resolved when the plan is made.'),
  command: z.array(z.string()).optional().describe("Arguments, in place of the image's command."),
  entrypoint: z.array(z.string()).min(1).optional().describe("Program, in place of the image's entrypoint."),
  env: z
    .record(value.EnvName, z.string())
    .optional()
    .describe(
      'Environment variables. `{{env:NAME}}` is replaced by NAME of `[env]` in slipway.toml, `{{secret:NAME}}` by a secret of the namespace when the container is made.',
    ),
  mounts: z
    .array(ManifestMount)
    .max(1000)
    .optional()
    .describe('Volumes, paths of the machine, and memory, in the container.'),
  volumes: z.array(ManifestMount).max(1000).optional().describe('Ployz: the same as `mounts`.'),
  resources: Resources.optional().describe('Limits of one container.'),
  user: value.User.optional().describe("User and group of the process. Default: the image's."),
  cap_add: z
    .array(value.Capability)
    .optional()
    .describe('Capabilities to add. Only in namespaces that `[policy] cap_add` lists.'),
  cap_drop: z
    .array(value.Capability)
    .optional()
    .describe('Capabilities to drop. NET_RAW is dropped from overlay services too, unless cap_add names it.'),
  privileged: z
    .boolean()
    .optional()
    .describe('All rights on the machine. Only in namespaces that `[policy] privileged` lists. Default: false.'),
  sysctls: z.record(value.SysctlName, z.string()).optional().describe('Kernel parameters of the container.'),
  pid_mode: z
    .enum(['private', 'host'])
    .optional()
    .describe('`host`: sees all processes of the machine. Only in namespaces that `[policy] pid_host` lists.'),
  stop_grace_period: value.Duration.optional().describe('Time between SIGTERM and SIGKILL. Default: "10s".'),
  pull_policy: z
    .enum(['if_not_present', 'always', 'never'])
    .optional()
    .describe('When the image is pulled. Default: if_not_present.'),
  labels: Labels.optional().describe('Labels of the container. `slipway.…` is reserved.'),
  log: LogLimits.optional().describe('How much of its output the engine keeps.'),
});
export type ManifestTemplate = z.infer<typeof ManifestTemplate>;
