/**
 * Forks: a namespace made from another one's manifests on top of what that one runs. Pure.
 *
 * A fork can reach nothing outside itself: it has no ports of machines, only hostnames of the pattern, no volumes but
 * its own, and the image digests that its source proved where the image string is the same.
 */
import type { PullNumber } from '../../schemas/forge.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { Release, ReleaseRef } from '../../schemas/release.ts';
import type { Desired, DesiredService, ImageRef, Route, ServiceSpec, VolumeSpec } from '../../schemas/service.ts';
import type { Settings } from '../../schemas/settings.ts';
import { type HostPattern, hostnameOf, patternProblem } from './hostnames.ts';
import { type ForkModes, serviceModeOf, unknownNames, volumeModeOf } from './modes.ts';
import { refusalsOf } from './refusals.ts';
import { type ImageSource, imageSource } from './registries.ts';
import { seedFirst } from './seed-first.ts';

export interface ForkArgs {
  /** What the fork is to run: manifests of a pull request, or what the source runs. */
  readonly source: Desired;
  /** Job that runs before anything of the fork is routed; null: none. */
  readonly seed: DesiredService | null;
  /** What the source runs; null: nothing. */
  readonly released: { readonly release: Release; readonly specs: ReadonlyMap<string, ServiceSpec> } | null;
  readonly namespace: NamespaceName;
  readonly number: PullNumber | null;
  readonly modes: ForkModes;
  readonly settings: Pick<Settings, 'previews' | 'images'>;
}

export type Fork =
  | {
      readonly ok: true;
      readonly desired: Desired;
      /** Service → the image that the source runs for the same image string. */
      readonly images: Readonly<Record<string, ImageRef>>;
      readonly forkedFrom: ReleaseRef | null;
      /** What the fork does otherwise than its source, as sentences. */
      readonly notes: readonly string[];
    }
  | { readonly ok: false; readonly code: 'PULL_REFUSED' | 'NOT_SUPPORTED'; readonly problems: readonly string[] };

/** What the fork is to be, or everything that keeps it from being. */
export function forkDesired(args: ForkArgs): Fork {
  const { source, released, namespace, modes, settings } = args;
  const all = args.seed === null ? source.services : [...source.services, args.seed];
  const named = { services: all.map((it) => it.name), volumes: source.volumes.map((it) => it.name) };
  const kept = all.filter((it) => serviceModeOf(it.name, modes) === 'fork');
  const volumes = mountedVolumes(source.volumes, kept);
  const branched = volumes.filter((it) => volumeModeOf(it, modes, settings.previews.volumes) === 'branch');
  const images = imagesOf(kept, released);
  const pattern: HostPattern = { pattern: settings.previews.host, namespace, number: args.number };
  const sources = kept.map((it) => ({ it, from: imageSource(it, own(images, it.name), settings.images.registries) }));
  const problems = [
    ...unknownNames(modes, named),
    ...quota(kept, settings.previews.maxServices),
    ...(kept.some((it) => it.routes.some((route) => route.kind === 'http'))
      ? [patternProblem(pattern) ?? []].flat()
      : []),
    ...kept.flatMap((it) => refusalsOf(it, new Set(named.volumes))),
    ...sources.flatMap(({ it, from }) => (from === 'refused' ? [unlisted(it)] : [])),
    ...seedProblem(args),
  ];
  if (problems.length > 0) return { ok: false, code: 'PULL_REFUSED', problems };
  if (branched.length > 0)
    return { ok: false, code: 'NOT_SUPPORTED', problems: branched.map((it) => unbranched(it.name)) };
  const there = new Set(kept.map((it) => it.name));
  const services = sources.map(({ it, from }) => forked(it, there, pattern, from));
  const { seed } = args;
  const ordered = seed === null || !kept.includes(seed) ? services : withSeed(services, seed.name);
  return {
    ok: true,
    desired: {
      namespace,
      services: ordered.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      volumes: volumes.map(({ preview: _unused, ...it }) => it),
    },
    images,
    forkedFrom: released === null ? null : { namespace: released.release.namespace, n: released.release.n },
    notes: notesOf(all, kept),
  };
}

function withSeed(services: readonly DesiredService[], name: string): DesiredService[] {
  const seed = services.find((it) => it.name === name);
  return seed === undefined ? [...services] : seedFirst(services, seed);
}

/** Nobody asks a registry that the settings do not list; null: the manifest's own. */
const PULL_POLICIES: Readonly<Record<ImageSource, DesiredService['pullPolicy'] | null>> = {
  registry: null,
  given: 'if-not-present',
  machine: 'never',
  refused: 'never',
};

/** Ports of machines are dropped, hostnames are the pattern's, and nobody waits for what is not there. */
function forked(
  service: DesiredService,
  there: ReadonlySet<string>,
  pattern: HostPattern,
  from: ImageSource,
): DesiredService {
  // A lock is of the namespace that it lies beside; in a pull request it could name an image of any registry.
  const { lockedImage: _locked, ...rest } = service;
  return {
    ...rest,
    pullPolicy: PULL_POLICIES[from] ?? service.pullPolicy,
    tcpPublish: [],
    routes: routesOf(service, pattern),
    dependsOn: Object.fromEntries(Object.entries(service.dependsOn).filter(([name]) => there.has(name))),
    template: { ...service.template, udpPublish: [] },
  };
}

/** The same hostname stays the same one for all its paths; each other one is one of its own. */
function routesOf({ name, routes }: DesiredService, pattern: HostPattern): Route[] {
  const http = routes.flatMap((it) => (it.kind === 'http' ? [it] : []));
  const hostnames = [...new Set(http.map((it) => it.hostname))].toSorted();
  return http.map((it) => ({ ...it, hostname: hostnameOf(pattern, name, hostnames.indexOf(it.hostname)) }));
}

/** Volumes that something of the fork mounts; the others would only lie there. */
function mountedVolumes(volumes: readonly VolumeSpec[], services: readonly DesiredService[]): VolumeSpec[] {
  const mounts = services.flatMap((it) => it.template.mounts);
  return volumes.filter((it) => mounts.some((mount) => mount.kind === 'volume' && mount.volume === it.name));
}

/** Service → image of the source's service of that name, where the image string is the very same. */
function imagesOf(services: readonly DesiredService[], released: ForkArgs['released']): Record<string, ImageRef> {
  return Object.fromEntries(
    services.flatMap(({ name, imageName }) => {
      const digest = own(released?.release.services ?? {}, name);
      const live = digest === undefined ? undefined : released?.specs.get(digest);
      return live?.imageName === imageName ? [[name, live.template.image]] : [];
    }),
  );
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function quota(services: readonly DesiredService[], most: number): string[] {
  if (services.length === 0) return ['there is no service to fork'];
  const many = `it would have ${services.length} services; [previews] max_services allows ${most}`;
  return services.length > most ? [many] : [];
}

/** Settings name a seed job that cannot be one. */
function seedProblem({ source, settings }: ForkArgs): string[] {
  const { seedJob } = settings.previews;
  const service = seedJob === '' ? undefined : source.services.find((it) => it.name === seedJob);
  if (service === undefined || service.job) return [];
  return [`[previews] seed_job names ${seedJob}, which is not a job: write job = true`];
}

function unlisted({ name, imageName }: DesiredService): string {
  return `${name} has the image ${JSON.stringify(imageName)} of a registry that [images] registries of slipway.toml does not list`;
}

function unbranched(volume: string): string {
  return `volume ${volume} cannot be branched: ZFS clones are not available yet; use fresh (\`--volume ${volume}=fresh\`, or [previews] volumes)`;
}

function notesOf(all: readonly DesiredService[], kept: readonly DesiredService[]): string[] {
  const left = all.filter((it) => !kept.includes(it)).map((it) => it.name);
  const published = kept.filter(
    (it) => it.tcpPublish.length + it.template.udpPublish.length > 0 || it.routes.some((route) => route.kind === 'tcp'),
  );
  return [
    ...(left.length === 0 ? [] : [`Left out: ${left.join(', ')}.`]),
    ...published.map((it) => `${it.name} has no port of its machine here: forks get hostnames only.`),
  ];
}
