/**
 * Service records: what a manifest asks for, resolved (defaults filled, camelCase, units in the names).
 *
 * `template` holds exactly what shapes a container: when its digest changes, containers are replaced. Everything
 * outside it (replicas, probes, routes, strategy) changes in place.
 */
import { z } from 'zod';
import { digestOf } from './canonical.ts';
import { type Digest, MachineName, ServiceName, VolumeName } from './names.ts';
import { SecretName, SecretVersions } from './secret.ts';

const Sha256 = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const Port = z.int().min(1).max(65535);
const Millis = z.int().min(0);

/** An image pinned by registry digest, or one that only engines have (compared across machines by config digest). */
export const ImageRef = z.union([
  z.strictObject({ repo: z.string(), digest: Sha256 }),
  z.strictObject({ localId: Sha256, name: z.string() }),
]);
export type ImageRef = z.infer<typeof ImageRef>;

/** Where a mount's data comes from. `volume` names a volume of the same namespace. */
export const Mount = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('volume'), volume: VolumeName, target: z.string(), readonly: z.boolean() }),
  z.strictObject({ kind: z.literal('bind'), path: z.string(), target: z.string(), readonly: z.boolean() }),
  z.strictObject({ kind: z.literal('tmpfs'), target: z.string(), sizeBytes: z.int().min(1).nullable() }),
  /** A file with the exact bytes of a secret, on memory of the machine. */
  z.strictObject({ kind: z.literal('secret'), secret: SecretName, target: z.string() }),
]);
export type Mount = z.infer<typeof Mount>;

const Network = z.enum(['overlay', 'host', 'none']);
export type Network = z.infer<typeof Network>;

/** A host port that Docker itself publishes (udp only; tcp goes through the gateway). */
export const PublishedPort = z.strictObject({ port: Port, protocol: z.enum(['tcp', 'udp']), hostPort: Port });
export type PublishedPort = z.infer<typeof PublishedPort>;

/** What shapes a container. `image` is a string until it is pinned; `ServiceTemplate` has it pinned. */
const templateShape = {
  command: z.array(z.string()).nullable(),
  entrypoint: z.array(z.string()).nullable(),
  env: z.record(z.string(), z.string()),
  mounts: z.array(Mount),
  /** CPU limit in thousandths of a core; null: none. */
  cpuMillicores: z.int().min(1).nullable(),
  memoryBytes: z.int().min(1).nullable(),
  user: z.string().nullable(),
  capAdd: z.array(z.string()),
  capDrop: z.array(z.string()),
  privileged: z.boolean(),
  sysctls: z.record(z.string(), z.string()),
  pidMode: z.enum(['private', 'host']),
  labels: z.record(z.string(), z.string()),
  log: z.strictObject({ maxSizeBytes: z.int().min(1), maxFiles: z.int().min(1) }),
  network: Network,
  /** udp ports that the engine publishes on the slot's machine. */
  udpPublish: z.array(PublishedPort),
  restart: z.enum(['unless-stopped', 'always', 'on-failure', 'no']),
};

export const ServiceTemplate = z.strictObject({
  image: ImageRef,
  ...templateShape,
  /** Version of every secret that environment and mounts name; left out where there is none. */
  secrets: SecretVersions.optional(),
});
export type ServiceTemplate = z.infer<typeof ServiceTemplate>;

/** One probe. `command` runs in the container; http wants a 2xx or 3xx. */
export const Probe = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('http'), port: Port, path: z.string() }),
  z.strictObject({ kind: z.literal('tcp'), port: Port }),
  z.strictObject({ kind: z.literal('exec'), command: z.array(z.string()).min(1) }),
]);
export type Probe = z.infer<typeof Probe>;

export const Readiness = z.strictObject({
  probe: Probe,
  intervalMs: Millis,
  timeoutMs: Millis,
  /** Failures in a row after which a ready instance leaves routing. */
  retries: z.int().min(1),
  startPeriodMs: Millis,
  /** How long an instance may stay unready before it is restarted; null: never. */
  livenessTimeoutMs: Millis.nullable(),
});
export type Readiness = z.infer<typeof Readiness>;

export const Route = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('http'), hostname: z.string(), pathPrefix: z.string(), port: Port }),
  z.strictObject({ kind: z.literal('tcp'), listenPort: Port, port: Port }),
]);
export type Route = z.infer<typeof Route>;

/** `maxSurge` and `maxUnavailable` are whole percent of the replica count, or whole replicas. */
export const Amount = z.union([
  z.strictObject({ percent: z.int().min(0).max(100) }),
  z.strictObject({ count: z.int().min(0) }),
]);
export type Amount = z.infer<typeof Amount>;

export const Strategy = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rolling'), maxSurge: Amount, maxUnavailable: Amount }),
  z.strictObject({ kind: z.literal('recreate') }),
  z.strictObject({ kind: z.literal('blue-green'), holdMs: Millis }),
]);
export type Strategy = z.infer<typeof Strategy>;

export const Placement = z.strictObject({
  /** null: one slot on every machine that the constraints admit (`global`). */
  replicaCount: z.int().min(0).max(1000).nullable(),
  machines: z.array(MachineName),
  labels: z.record(z.string(), z.string()),
  region: z.string().nullable(),
  zone: z.string().nullable(),
});
export type Placement = z.infer<typeof Placement>;

const DependencyCondition = z.enum(['started', 'ready', 'completed']);
export type DependencyCondition = z.infer<typeof DependencyCondition>;

const serviceShape = {
  name: ServiceName,
  /** The image string of the manifest, as written. */
  imageName: z.string(),
  pullPolicy: z.enum(['if-not-present', 'always', 'never']),
  placement: Placement,
  ports: z.array(z.strictObject({ name: z.string(), port: Port, protocol: z.enum(['tcp', 'udp']) })),
  /** tcp ports that the gateway listens on, on the machines that have a slot. */
  tcpPublish: z.array(PublishedPort),
  routes: z.array(Route),
  readiness: Readiness.nullable(),
  dependsOn: z.record(ServiceName, DependencyCondition),
  strategy: Strategy,
  stopGracePeriodMs: Millis,
  /** How long one instance may take from start to ready. */
  deadlineMs: Millis,
  onFailure: z.enum(['hold', 'revert']),
  /** Run once for each template digest, then done (a migration). */
  job: z.boolean(),
};

/** A service as the manifests ask for it: its image is still a string (`imageName`). */
export const DesiredService = z
  .strictObject({
    ...serviceShape,
    template: z.strictObject(templateShape),
    /** The image that a lock file pins; left out where none does. */
    lockedImage: ImageRef.optional(),
  })
  .readonly();
export type DesiredService = z.infer<typeof DesiredService>;

/** A service with its image pinned: what a release names by digest. */
export const ServiceSpec = z.strictObject({ ...serviceShape, template: ServiceTemplate }).readonly();
export type ServiceSpec = z.infer<typeof ServiceSpec>;

/** What a fork gets in place of a volume: an empty one, or its data. */
export const VolumeMode = z.enum(['fresh', 'branch']);
export type VolumeMode = z.infer<typeof VolumeMode>;

export const VolumeSpec = z
  .strictObject({
    name: VolumeName,
    scope: z.literal('single'),
    quotaBytes: z.int().min(1).nullable(),
    /** Octal mode of the root folder, as a number; null: the driver's default. */
    mode: z.int().min(0).max(0o7777).nullable(),
    owner: z.strictObject({ uid: z.int().min(0), gid: z.int().min(0) }).nullable(),
    /** What forks get in its place; left out where the manifest does not say. */
    preview: VolumeMode.optional(),
  })
  .readonly();
export type VolumeSpec = z.infer<typeof VolumeSpec>;

/** One namespace as the manifests of one revision ask for it. Services and volumes in code-unit order of name. */
export const Desired = z
  .strictObject({ namespace: z.string(), services: z.array(DesiredService), volumes: z.array(VolumeSpec) })
  .readonly();
export type Desired = z.infer<typeof Desired>;

/** sha256 of a resolved service spec: the key of `specs.<digest>`. */
export function specDigest(spec: ServiceSpec): Digest {
  return digestOf(spec);
}

/** sha256 of what shapes the container: differs exactly when instances must be replaced. */
export function templateDigest(spec: ServiceSpec): Digest {
  return digestOf(spec.template);
}

/** Text of an image reference that an engine understands. */
export function imageText(image: ImageRef): string {
  return 'repo' in image ? `${image.repo}@${image.digest}` : image.localId;
}
