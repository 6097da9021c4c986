/**
 * A manifest as users write it (snake_case, the Ployz shape): one namespace, or a part of one when it is a folder.
 *
 * This is the form only; what fields mean together is checked by controller/manifest.
 */
import { z } from 'zod';
import { Labels, ManifestTemplate, notYet } from './manifest-template.ts';
import * as value from './manifest-values.ts';

/** One issue as zod reports it, for the room that explains it. */
export type SchemaIssue = z.core.$ZodIssue;

const ServicePort = z.strictObject({
  name: value.Name.describe('How routes, probes and `publish` call it.'),
  container_port: value.Port.describe('Port that the process listens on.'),
  protocol: z.enum(['tcp', 'udp']).optional().describe('Default: tcp.'),
});

const servicePort = () => z.string().describe('Name of one of the `service_ports`.');

const Placement = z.union([
  z.enum(['global']),
  z.strictObject({
    replicated: z
      .strictObject({ count: z.int().min(0).max(1000).describe('How many instances.') })
      .optional()
      .describe('A number of instances. Default: 1.'),
    global: z.literal(true).optional().describe('One instance on every machine that the constraints admit.'),
    machines: z.array(value.Name).min(1).optional().describe('Only on these machines.'),
    labels: z.record(value.LabelName, z.string()).optional().describe('Only on machines with all these labels.'),
    region: z.string().min(1).optional().describe('Only on machines of this region.'),
    zone: z.string().min(1).optional().describe('Only on machines of this zone.'),
  }),
]);

const Publish = z.strictObject({
  service_port: servicePort(),
  host_port: value.Port.describe('Port of the machine.'),
  host_ip: notYet('Address of the machine to listen on.'),
});

const Route = z.strictObject({
  http: z
    .strictObject({
      service_port: servicePort(),
      hostnames: z.array(value.Hostname).min(1).max(1000).describe('Names that the gateway answers for.'),
      path_prefix: value.PathPrefix.optional().describe('Only paths below this one; the longest wins. Default: "/".'),
    })
    .optional()
    .describe('Requests for hostnames and a path.'),
  tcp: z
    .strictObject({ service_port: servicePort(), listen_port: value.Port.describe('Port of the gateway.') })
    .optional()
    .describe('Connections to a port of the gateway.'),
});

const Readiness = z.strictObject({
  http: z
    .strictObject({
      service_port: servicePort(),
      path: value.ProbePath.describe('Path to request; 2xx and 3xx are ready.'),
    })
    .optional()
    .describe('Ready when a request is answered with 2xx or 3xx.'),
  tcp: z.strictObject({ service_port: servicePort() }).optional().describe('Ready when a connection is accepted.'),
  exec: z
    .strictObject({ command: z.array(z.string()).min(1).describe('Program and arguments, in the container.') })
    .optional()
    .describe('Ready when a command ends with 0.'),
  interval: value.Duration.optional().describe('Time between probes. Default: "2s".'),
  timeout: value.Duration.optional().describe('How long one probe may take. Default: "2s".'),
  retries: z.int().min(1).max(1000).optional().describe('Failures in a row until it gets no requests. Default: 3.'),
  start_period: value.Duration.optional().describe(
    'Time after the start in which failures do not count. Default: "0s".',
  ),
  liveness_timeout: value.Duration.optional().describe(
    'How long it may stay unready before it is restarted. Default: never.',
  ),
});

const amount = () => z.union([z.int().min(0).max(1000), value.Percent]);

const Strategy = z.union([
  z.enum(['rolling', 'recreate', 'blue_green']),
  z.strictObject({
    rolling: z
      .strictObject({
        max_surge: amount().optional().describe('Instances beyond the count: a number or a share. Default: "100%".'),
        max_unavailable: amount().optional().describe('Instances that may be missing meanwhile. Default: 0.'),
      })
      .optional()
      .describe('New instances start before old ones stop.'),
    recreate: z.strictObject({}).optional().describe('Old instances stop before new ones start.'),
    blue_green: z
      .strictObject({
        hold: value.Duration.optional().describe('How long the old ones are kept running. Default: "0s".'),
      })
      .optional()
      .describe('All new ones start, requests switch at once, old ones are kept for a while.'),
    canary: notYet('A share of the requests first.'),
  }),
]);

export const ManifestService = z.strictObject({
  name: value.Name.describe('Unique in the namespace; containers of the namespace reach it by this name.'),
  placement: Placement.optional().describe('How many and where: `{ replicated = { count = 2 } }` or "global".'),
  template: ManifestTemplate.describe('What shapes a container; a change here replaces containers.'),
  network: z
    .union([
      z.enum(['overlay', 'host', 'none']),
      z.strictObject({ service: notYet('Ployz: the network of another service.') }),
    ])
    .optional()
    .describe('`host`: only in namespaces that `[policy] host_network` lists. Default: overlay.'),
  labels: Labels.optional().describe('Ployz: the same as `template.labels`.'),
  service_ports: z.array(ServicePort).max(1000).optional().describe('Ports that the containers listen on, by name.'),
  publish: z.array(Publish).max(1000).optional().describe('Ports of the machines that lead to a service port.'),
  routes: z.array(Route).max(1000).optional().describe('What the gateway sends here; each is `http` or `tcp`.'),
  readiness: Readiness.optional().describe('When an instance may get requests; exactly one of `http`, `tcp`, `exec`.'),
  restart: z
    .enum(['unless-stopped', 'always', 'on-failure', 'no'])
    .optional()
    .describe('What happens when the process ends. Default: unless-stopped; jobs: no.'),
  depends_on: z
    .record(value.Name, z.enum(['started', 'ready', 'completed']))
    .optional()
    .describe('Services that come first, and how far: started, ready, or completed (jobs).'),
  strategy: Strategy.optional().describe('How a new version replaces the old one. Default: rolling.'),
  rollout: z.enum(['recreate', 'blue_green']).optional().describe('Ployz: the same as `strategy`.'),
  autoscale: notYet('The number of instances follows the load.'),
  recovery: notYet('What happens when a machine is lost.'),
  deadline: value.Duration.optional().describe('How long one instance may take to be ready. Default: "120s".'),
  on_failure: z
    .enum(['hold', 'revert'])
    .optional()
    .describe('After a failure between batches: stay there, or go back. Default: hold.'),
  job: z.boolean().optional().describe('Runs once for each version and ends (a migration). Default: false.'),
});
export type ManifestService = z.infer<typeof ManifestService>;

export const ManifestVolume = z.strictObject({
  name: value.Name.describe('Unique in the namespace.'),
  scope: z.enum(['single', 'shared']).optional().describe('`single`: lies on one machine. Default: single.'),
  quota: value.Size.optional().meta({ description: 'How large it may grow. Not supported yet.', not: {} }),
  mode: value.Mode.optional().describe('Mode of its root folder when it is created, like "0750".'),
  owner: value.Owner.optional().describe('Owner of its root folder when it is created, like "1000:1000".'),
  preview: z
    .enum(['fresh', 'branch'])
    .optional()
    .describe('What forks get: `fresh`: an empty one. `branch`: its data, as it was then. Default: fresh.'),
});
export type ManifestVolume = z.infer<typeof ManifestVolume>;

export const Manifest = z
  .strictObject({
    $schema: z.string().optional().describe('For editors only.'),
    namespace: value.Name.optional().describe(
      'The namespace; equal to the name of the file or folder. May be left out in the files of a folder.',
    ),
    services: z
      .array(ManifestService)
      .optional()
      .describe('The services. Required (in a folder: in one of its files); an empty list removes all services.'),
    volumes: z.array(ManifestVolume).optional().describe('Volumes that services of this namespace can mount.'),
    intent: notYet('Ployz: hints for the deploy.'),
  })
  .describe('One namespace of a Slipway fleet, or a part of one.');
export type Manifest = z.infer<typeof Manifest>;

/** `<namespace>.lock.toml`: digests that a promotion pinned. Slipway writes it. */
export const ManifestLock = z.strictObject({
  promoted_from: z
    .strictObject({ namespace: value.Name, release: z.int().min(1) })
    .optional()
    .describe('The release whose images these are.'),
  images: z.array(
    z.strictObject({
      service: value.Name,
      image: value.Image.describe('The image string of the manifest; the entry counts only while it is identical.'),
      digest: value.ImageDigest.describe('Of the registry; of the image itself where `local` is true.'),
      local: z.boolean().optional().describe('Only engines have the image. Default: false.'),
    }),
  ),
});
export type ManifestLock = z.infer<typeof ManifestLock>;
export type LockEntry = ManifestLock['images'][number];
