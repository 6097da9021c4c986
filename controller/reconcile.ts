/** One pass of one namespace: situation × desired → plan. Carrying it out is the executor's part. */

import { digestOf } from '../schemas/canonical.ts';
import { SlipwayError } from '../schemas/errors.ts';
import type { Digest, Revision } from '../schemas/names.ts';
import type { ManagedBy, ReleaseRef, VolumeRow } from '../schemas/release.ts';
import { type SecretName, secretNames, secretScope } from '../schemas/secret.ts';
import type { Desired, DesiredService, ImageRef, ServiceSpec } from '../schemas/service.ts';
import { imageText, ServiceSpec as ServiceSpecRecord } from '../schemas/service.ts';
import type { Settings } from '../schemas/settings.ts';
import type { Store } from '../store/port.ts';
import { pinImages } from './execute/images.ts';
import { readSituation, readSpecs, type Situation } from './execute/situation.ts';
import type { ServicePatch } from './patch/patch.ts';
import { patchDesired } from './patch/patch-desired.ts';
import { withSameImage } from './patch/same-image.ts';
import { buildPlan } from './plan/build.ts';
import type { PlanFailure, PlanInput, PlanResult } from './plan/input.ts';
import { pinSecrets } from './plan/pin-secrets.ts';
import { rollbackTarget } from './rollback-target.ts';
import { readSecretFacts } from './secrets.ts';

export interface PlanRequest {
  readonly store: Store;
  readonly desired: Desired;
  readonly revision: Revision | null;
  readonly managedBy: ManagedBy;
  readonly maxRemovePercent: number;
  /** Settings want an approval of every plan of the namespace. */
  readonly approvalRequired: boolean;
  readonly gatewayPorts: readonly number[];
  /** Resolve every image string again. */
  readonly refreshImages?: boolean;
  /** Strings of other registries are looked up on machines only, never asked for: manifests of strangers name them. */
  readonly onlyRegistries?: readonly string[];
  /** Images by service, taken where the namespace has none of its own for the same image string. */
  readonly images?: Readonly<Record<string, ImageRef>> | undefined;
  /** What the image strings meant when people saw this plan, by service: taken whatever they mean by now. */
  readonly reviewed?: Readonly<Record<string, ImageRef>>;
  /** What it was forked from. */
  readonly forkedFrom?: ReleaseRef | undefined;
  /** Whose image digests the locked ones are. */
  readonly promotedFrom?: ReleaseRef | undefined;
}

/** sha256 of one namespace's desired state: the loop acts when it changes. */
export function desiredDigest(desired: Desired): Digest {
  return digestOf(desired);
}

/** A plan that makes the namespace what `desired` says. @throws MACHINE_UNREACHABLE when no agent can be asked. */
export async function planDesired(request: PlanRequest): Promise<PlanResult> {
  const situation = await readSituation(request.store, request.desired.namespace);
  const released = liveSpecs(situation);
  const pinned = await pinImages({
    services: request.desired.services,
    released,
    machine: anyMachine(situation),
    messages: request.store.messages,
    fresh: 'all',
    refresh: request.refreshImages ?? false,
    onlyRegistries: request.onlyRegistries ?? null,
    given: request.images ?? {},
    reviewed: request.reviewed ?? {},
  });
  const promotedFrom = takesOver(request.desired, released) ? request.promotedFrom : undefined;
  return await planPinned(
    situation,
    { ...request, promotedFrom },
    { ...pinned, kind: 'deploy', released, isFresh: () => true },
  );
}

/** Whether an image that a lock pins is not what is live: later releases with the same lock are no promotions. */
function takesOver(desired: Desired, released: ReadonlyMap<string, ServiceSpec>): boolean {
  return desired.services.some(({ name, lockedImage }) => {
    const live = released.get(name)?.template.image;
    return lockedImage !== undefined && (live === undefined || imageText(live) !== imageText(lockedImage));
  });
}

/**
 * A plan that changes one service of what is live, and nothing else: every other service keeps its exact spec and image,
 * whatever its tag means by now. A namespace without a release begins with this service.
 *
 * @throws USAGE when the patch does not fit, with all that is wrong with it
 */
export async function planPatch(
  request: Omit<PlanRequest, 'desired'> & {
    readonly namespace: string;
    readonly patch: ServicePatch;
    readonly settings: Settings;
  },
): Promise<PlanResult> {
  const { store, namespace, patch } = request;
  const situation = await readSituation(store, namespace);
  const released = liveSpecs(situation);
  const base: Desired = {
    namespace,
    services: [...released.values()].map(unpinned),
    volumes: volumesOf(situation.volumeRows),
  };
  const patched = patchDesired(base, patch, request.settings);
  if (!patched.ok) throw new SlipwayError('USAGE', patched.problems.join('\n'), { problems: patched.problems });
  const pinned = await pinImages({
    services: patched.desired.services,
    released,
    machine: anyMachine(situation),
    messages: store.messages,
    fresh: new Set([patch.service]),
    refresh: request.refreshImages ?? false,
    onlyRegistries: null,
  });
  const before = released.get(patch.service);
  const { desired, images } =
    before === undefined || pinned.failures.length > 0
      ? { ...pinned, desired: patched.desired }
      : withSameImage(patched.desired, pinned.images, before);
  const isFresh = (service: string) => service === patch.service;
  const pins = { ...pinned, images, kind: 'deploy' as const, released, isFresh };
  return await planPinned(situation, { ...request, desired }, pins);
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
  const released = liveSpecs(situation);
  const services = [...released.values()];
  const desired: Desired = {
    namespace,
    services: services.map(unpinned),
    volumes: volumesOf(situation.released.release.volumes),
  };
  const isFresh = (_: string, name: SecretName) => name === secret;
  const pins = { images: imagesOf(services), failures: [], kind: 'deploy' as const, released, isFresh };
  return await planPinned(situation, { ...request, desired }, pins);
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
 * @param to null: the last converged release before the live one that differs from it; never a checkpoint
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
  const desired: Desired = { namespace, services: services.map(unpinned), volumes: volumesOf(target.volumes) };
  // With the newest versions of secrets: one that was changed since then was most likely changed for a reason.
  return await planPinned(
    situation,
    { ...request, desired },
    {
      images: imagesOf(services),
      failures: [],
      kind: 'rollback',
      rollbackTo: target.n,
      released: new Map(services.map((it) => [it.name, it])),
      isFresh: () => true,
    },
  );
}

/** Pins the secrets too, and plans when nothing is missing. */
async function planPinned(
  situation: Situation,
  request: PlanRequest,
  pins: Pick<Parameters<typeof pinSecrets>[0], 'images' | 'released' | 'isFresh'> & {
    readonly kind: 'deploy' | 'rollback';
    readonly rollbackTo?: number;
    readonly failures: readonly PlanFailure[];
  },
): Promise<PlanResult> {
  const { store, desired } = request;
  const { namespace, services } = desired;
  const scope = secretScope(request.managedBy, namespace);
  const facts = services.some((it) => secretNames(it.template).length > 0)
    ? await readSecretFacts(store.bucket('secrets'), scope)
    : [];
  const known = new Map(facts.map((it) => [it.name, it]));
  const { secrets, failures } = pinSecrets({ ...pins, namespace: scope, services, facts: known });
  const all = [...pins.failures, ...failures];
  if (all.length > 0) return { ok: false, failures: all };
  const { kind, rollbackTo = null, images } = pins;
  return buildPlan({ ...inputOf(situation, request), kind, rollbackTo, images, secrets });
}

function imagesOf(services: readonly ServiceSpec[]): Record<string, ImageRef> {
  return Object.fromEntries(services.map((it) => [it.name, it.template.image]));
}

/** A released spec as a desired one: its image is given separately. */
export function unpinned(spec: ServiceSpec): DesiredService {
  const { image: _pinned, secrets: _versions, ...template } = ServiceSpecRecord.parse(spec).template;
  return { ...spec, template };
}

/** Volumes stay where they are; how they were made matters only when they are. */
function volumesOf(rows: readonly VolumeRow[]): Desired['volumes'] {
  const names = [...new Set(rows.map((it) => it.volume))].toSorted();
  return names.map((name) => ({ name, scope: 'single', quotaBytes: null, mode: null, owner: null }));
}

/** Specs of the live release by service. */
function liveSpecs({ released }: Situation): Map<string, ServiceSpec> {
  return new Map(
    Object.entries(released?.release.services ?? {}).flatMap(([name, digest]) => {
      const spec = released?.specs.get(digest);
      return spec === undefined ? [] : [[name, spec] as const];
    }),
  );
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
    approvalRequired: request.approvalRequired,
    forkedFrom: request.forkedFrom,
    promotedFrom: request.promotedFrom,
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
