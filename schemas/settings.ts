/** slipway.toml: as users write it (SettingsFile), and as the controller reads it (Settings). */
import { z } from 'zod';
import * as value from './manifest-values.ts';

const namespaces = (what: string) =>
  z.array(value.Name).optional().describe(`Namespaces that may ${what}. Default: none.`);
const roles = (what: string) =>
  z
    .array(z.enum(['read', 'triage', 'write', 'maintain', 'admin']))
    .optional()
    .describe(`The least of these permissions, and every greater one, may ${what}.`);
const relativePath = value.text(
  /^(?!-)(?!(?:.*\/)?\.{0,2}(?:\/|$))[A-Za-z0-9._/-]{1,255}$/,
  'a folder of the repository, like "namespaces"',
);
const branch = value.text(/^(?![-/.])(?!.*(?:\.\.|\/\/|@\{|\.lock$|[/.]$))[!-~]{1,200}$/, 'the name of a branch');

export const SettingsFile = z
  .strictObject({
    $schema: z.string().optional().describe('For editors only.'),
    source: z
      .strictObject({
        branch: branch.optional().describe('The branch that is deployed. Default: "main".'),
        manifests: relativePath.optional().describe('Folder of the manifests. Default: "namespaces".'),
        allow_rewind: z
          .boolean()
          .optional()
          .describe('Follow the branch also when it is force-pushed. Default: false.'),
      })
      .optional(),
    env: z.record(value.EnvName, z.string()).optional().describe('The only source of `{{env:NAME}}` in manifests.'),
    images: z
      .strictObject({
        registries: z
          .array(z.string().min(1))
          .optional()
          .describe('Where digests of images of pull requests may be resolved.'),
      })
      .optional(),
    policy: z
      .strictObject({
        bind_mounts: namespaces('mount paths of the machine'),
        privileged: namespaces('run privileged containers'),
        host_network: namespaces('use the network of the machine'),
        cap_add: namespaces('add capabilities'),
        pid_host: namespaces('see all processes of the machine'),
      })
      .optional(),
    approvals: z
      .record(
        value.Name,
        z.strictObject({
          required: z.boolean().optional().describe('Plans wait for an approval. Default: false.'),
          approvers: z
            .array(z.string().min(1))
            .optional()
            .describe(
              'Who may approve in pull requests, with write access at least: "@org/team" or "login". Default: whom roles.approve names.',
            ),
          self: z.boolean().optional().describe('Authors may approve their own plans. Default: false.'),
        }),
      )
      .optional(),
    roles: z
      .strictObject({ deploy: roles('deploy'), approve: roles('approve'), preview: roles('start previews') })
      .optional(),
    previews: z
      .strictObject({
        source: value.Name.optional().describe('Namespace that previews are forked from.'),
        name: z.string().includes('{number}').optional().describe('Name of a preview. Default: "pr-{number}".'),
        host: z.string().includes('{number}').optional().describe('Hostname of the services of a preview.'),
        label: z.string().optional().describe('Only pull requests with this label. Default: all.'),
        max: z.int().min(0).max(1000).optional().describe('How many at once. Default: 10.'),
        max_services: z.int().min(1).max(1000).optional().describe('How many services one may have. Default: 50.'),
        ttl: value.Duration.optional().describe('How long one lives without a push. Default: "48h".'),
        seed_job: z
          .string()
          .optional()
          .describe('Job of the source that fills or masks data: runs in forks only, before anything is routed.'),
        volumes: z
          .record(value.Name, z.enum(['fresh', 'branch']))
          .optional()
          .describe('What becomes of each volume.'),
      })
      .optional(),
    promotion: z
      .strictObject({
        landing: z.enum(['pull-request', 'push']).optional().describe('How a promotion lands. Default: pull-request.'),
      })
      .optional(),
    prune: z
      .strictObject({
        max_percent: z
          .int()
          .min(0)
          .max(100)
          .optional()
          .describe('Removing more of the services needs consent. Default: 50.'),
      })
      .optional(),
    gateway: z
      .strictObject({
        http_port: value.Port.optional().describe(
          'Port of the gateway for http; read when `slipway up` makes the installation. Default: 80.',
        ),
        https_port: value.Port.optional().describe('Port of the gateway for https. Default: 443.'),
      })
      .optional(),
    tls: z
      .strictObject({
        email: z.string().optional().describe('Address for the certificate authority.'),
        directory: z.string().optional().describe('Directory URL of the certificate authority.'),
        preview_certificate: z.string().optional().describe('Certificate of the preview hostnames.'),
      })
      .optional(),
    comments: z
      .strictObject({
        show_env: z.boolean().optional().describe('Show values of environment variables in comments. Default: false.'),
      })
      .optional(),
  })
  .describe('Settings of a Slipway fleet; read from the tracked branch only.');
export type SettingsFile = z.infer<typeof SettingsFile>;

type Role = 'read' | 'triage' | 'write' | 'maintain' | 'admin';

/** Settings with every default filled in. */
export interface Settings {
  readonly source: { readonly branch: string; readonly manifests: string; readonly allowRewind: boolean };
  readonly env: Readonly<Record<string, string>>;
  readonly images: { readonly registries: readonly string[] };
  readonly policy: {
    readonly bindMounts: readonly string[];
    readonly privileged: readonly string[];
    readonly hostNetwork: readonly string[];
    readonly capAdd: readonly string[];
    readonly pidHost: readonly string[];
  };
  readonly approvals: Readonly<
    Record<string, { readonly required: boolean; readonly approvers: readonly string[]; readonly self: boolean }>
  >;
  readonly roles: {
    readonly deploy: readonly Role[];
    readonly approve: readonly Role[];
    readonly preview: readonly Role[];
  };
  readonly previews: {
    readonly source: string | null;
    readonly name: string;
    readonly host: string;
    readonly label: string;
    readonly max: number;
    readonly maxServices: number;
    readonly ttlMs: number;
    readonly seedJob: string;
    readonly volumes: Readonly<Record<string, 'fresh' | 'branch'>>;
  };
  readonly promotion: { readonly landing: 'pull-request' | 'push' };
  readonly prune: { readonly maxPercent: number };
  readonly gateway: { readonly httpPort: number; readonly httpsPort: number };
  readonly tls: { readonly email: string; readonly directory: string; readonly previewCertificate: string };
  readonly comments: { readonly showEnv: boolean };
}
