/** One pass of one namespace: situation × desired → plan. Carrying it out is the executor's part. */

import { digestOf } from '../schemas/canonical.ts';
import { SlipwayError } from '../schemas/errors.ts';
import type { Digest, Revision } from '../schemas/names.ts';
import type { ManagedBy, Release } from '../schemas/release.ts';
import { type SecretName, secretNames } from '../schemas/secret.ts';
import type { Desired, DesiredService, ImageRef, ServiceSpec } from '../schemas/service.ts';
import { ServiceSpec as ServiceSpecRecord } from '../schemas/service.ts';
import type { Store } from '../store/port.ts';
import { pinImages } from './execute/images.ts';
import { readSituation, readSpecs, type Situation } from './execute/situation.ts';
import { buildPlan } from './plan/build.ts';
import type { PlanInput, PlanResult } from './plan/input.ts';
import { pinSecrets } from './plan/pin-secrets.ts';
import { readSecretFacts } from './secrets.ts';

export interface PlanRequest {
  readonly store: Store;
  readonly desired: Desired;
  readonly revision: Revision | null;
  readonly managedBy: ManagedBy;
  readonly maxRemovePercent: number;
  readonly gatewayPorts: readonly number[];
  /** Resolve every image string again. */
  readonly refreshImages?: boolean;
}

/** sha256 of one namespace's desired state: the loop acts when it changes. */
export function desiredDigest(desired: Desired): Digest {
  return digestOf(desired);
}

/** A plan that makes the namespace what `desired` says. @throws MACHINE_UNREACHABLE when no agent can be asked. */
export async function planDesired(request: PlanRequest): Promise<PlanResult> {
  const situation = await readSituation(request.store, request.desired.namespace);
  const live = situation.released;
  const released = new Map(
    Object.entries(live?.release.services ?? {}).flatMap(([name, digest]) => {
      const spec = live?.specs.get(digest);
      return spec === undefined ? [] : [[name, spec] as const];
    }),
  );
  const pinned = await pinImages({
    services: request.desired.services,
    released,
    machine: anyMachine(situation),
    messages: request.store.messages,
    refresh: request.refreshImages ?? false,
  });
  const { images } = pinned;
  const { secrets, failures: missing } = pinSecrets({
    ...(await secretsOf(request.store, request.desired)),
    released,
    images,
    isFresh: () => true,
  });
  const failures = [...pinned.failures, ...missing];
  if (failures.length > 0) return { ok: false, failures };
  return buildPlan({ ...inputOf(situation, request), kind: 'deploy', rollbackTo: null, images, secrets });
}

/**
 * A plan that gives the services of the live release the newest version of one secret, and changes nothing else.
 *
 * @throws UNKNOWN_NAMESPACE
 */
export async function planSecret(
  request: Omit<PlanRequest, 'desired' | 'refreshImages'> & { readonly namespace: string; readonly secret: SecretName },
): Promise<PlanResult> {
  const { store, namespace, secret } = request;
  const situation = await readSituation(store, namespace);
  if (situation.released === null) throw new SlipwayError('UNKNOWN_NAMESPACE', `${namespace} has no live release`);
  const { release, specs } = situation.released;
  const services = Object.values(release.services).map((digest) => ServiceSpecRecord.parse(specs.get(digest)));
  const desired: Desired = { namespace, services: services.map(unpinned), volumes: volumesOf(release) };
  const images = Object.fromEntries(services.map((it) => [it.name, it.template.image]));
  const released = new Map(services.map((it) => [it.name, it]));
  const { secrets, failures } = pinSecrets({
    ...(await secretsOf(store, desired)),
    released,
    images,
    isFresh: (_, name) => name === secret,
  });
  if (failures.length > 0) return { ok: false, failures };
  return buildPlan({
    ...inputOf(situation, { ...request, desired }),
    kind: 'deploy',
    rollbackTo: null,
    images,
    secrets,
  });
}

async function secretsOf(store: Store, { namespace, services }: Desired) {
  const facts = services.some((it) => secretNames(it.template).length > 0)
    ? await readSecretFacts(store.bucket('secrets'), namespace)
    : [];
  return { namespace, services, facts: new Map(facts.map((it) => [it.name, it])) };
}

/** A plan that removes the namespace; its volumes stay. */
export async function planRemoval(
  request: Omit<PlanRequest, 'desired'> & { readonly namespace: string },
): Promise<PlanResult> {
  const situation = await readSituation(request.store, request.namespace);
  const desired: Desired = { namespace: request.namespace, services: [], volumes: [] };
  return buildPlan({
    ...inputOf(situation, { ...request, desired }),
    kind: 'remove',
    rollbackTo: null,
    images: {},
    secrets: {},
  });
}

/**
 * A plan back to an earlier release: its exact specs and image digests.
 *
 * @param to null: the last converged release before the live one that differs from it
 * @throws UNKNOWN_NAMESPACE, UNKNOWN_RELEASE
 */
export async function planRollback(
  request: Omit<PlanRequest, 'desired' | 'refreshImages'> & { readonly namespace: string; readonly to: number | null },
): Promise<PlanResult> {
  const { store, namespace } = request;
  const target = await rollbackTarget(store, namespace, request.to);
  const specs = await readSpecs(store, target);
  const services = Object.values(target.services).map((digest) => {
    const spec = specs.get(digest);
    if (spec === undefined) throw new Error(`release #${target.n} names spec ${digest}, which is not stored`);
    return spec;
  });
  const situation = await readSituation(store, namespace);
  const desired: Desired = { namespace, services: services.map(unpinned), volumes: volumesOf(target) };
  const images: Record<string, ImageRef> = Object.fromEntries(services.map((it) => [it.name, it.template.image]));
  // The newest versions: a secret that was changed since then was most likely changed for a reason.
  const { secrets, failures } = pinSecrets({
    ...(await secretsOf(store, desired)),
    released: new Map(services.map((it) => [it.name, it])),
    images,
    isFresh: () => true,
  });
  if (failures.length > 0) return { ok: false, failures };
  const back = { kind: 'rollback' as const, rollbackTo: target.n, images, secrets };
  return buildPlan({ ...inputOf(situation, { ...request, desired }), ...back });
}

async function rollbackTarget(store: Store, namespace: string, to: number | null): Promise<Release> {
  const live = await store.log.live(namespace);
  if (live === null) throw new SlipwayError('UNKNOWN_NAMESPACE', `${namespace} has no live release to roll back from`);
  const releases = (await store.log.entries(namespace)).filter((it) => it.kind === 'release');
  const same = (it: Release) => digestOf(it.services) === digestOf(live.services);
  const target =
    to === null
      ? releases.findLast((it) => it.n < live.n && it.final && !same(it))
      : releases.find((it) => it.n === to);
  if (target !== undefined) return target;
  const known = releases
    .map((it) => `#${it.n}`)
    .slice(-10)
    .join(', ');
  throw new SlipwayError(
    'UNKNOWN_RELEASE',
    to === null
      ? `${namespace} has no earlier release that differs from #${live.n}`
      : `${namespace} has no release #${to}; the last are ${known}`,
  );
}

/** A released spec as a desired one: its image is given separately. */
function unpinned(spec: ServiceSpec): DesiredService {
  const { image: _pinned, secrets: _versions, ...template } = ServiceSpecRecord.parse(spec).template;
  return { ...spec, template };
}

/** Volumes stay where they are; how they were made matters only when they are. */
function volumesOf(release: Release): Desired['volumes'] {
  return release.volumes
    .map((it) => ({ name: it.volume, scope: 'single' as const, quotaBytes: null, mode: null, owner: null }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function inputOf(
  situation: Situation,
  request: Omit<PlanRequest, 'store'>,
): Omit<PlanInput, 'kind' | 'images' | 'secrets' | 'rollbackTo'> {
  const { snapshots: _unused, ...known } = situation;
  return {
    ...known,
    desired: request.desired,
    desiredDigest: desiredDigest(request.desired),
    revision: request.revision,
    managedBy: request.managedBy,
    gatewayPorts: request.gatewayPorts,
    maxRemovePercent: request.maxRemovePercent,
  };
}

function anyMachine(situation: Situation): string {
  const reported = situation.snapshots.map((it) => it.machine).toSorted()[0];
  const machine = reported ?? situation.machines[0]?.machine.name;
  if (machine !== undefined) return machine;
  throw new SlipwayError(
    'MACHINE_UNREACHABLE',
    'no machine has joined yet: is an agent running? (`slipway up` starts one)',
  );
}
