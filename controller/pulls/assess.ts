/** Assess: what the merge result would do to one namespace, against what is released now. */
import type { AgreementKind } from '../../schemas/consent.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import type { PullNumber } from '../../schemas/forge.ts';
import type { NamespaceName, Revision } from '../../schemas/names.ts';
import type { Plan } from '../../schemas/plan.ts';
import type { Store } from '../../store/port.ts';
import type { CommentModel } from '../comment/model.ts';
import { type Agreements, createAgreements } from '../consent/agreements.ts';
import { createFreezes } from '../consent/freezes.ts';
import { frozenText } from '../consent/frozen.ts';
import { needsOf } from '../consent/needs.ts';
import type { Clock } from '../execute/clock.ts';
import type { FleetManifests } from '../fleet-manifests.ts';
import type { Namespaces } from '../namespaces.ts';
import { desiredDigest, type PlanRequest, planDesired, planRemoval } from '../reconcile.ts';
import { ruleFor, rulesOf } from '../rules.ts';
import { desiredOf } from './affected.ts';
import type { TrackedTip } from './read-pull.ts';
import { imagesShownIn } from './reviewed-images.ts';

export interface AssessDeps {
  readonly store: Store;
  readonly namespaces: Namespaces;
  readonly clock: Clock;
  readonly gatewayPorts: readonly number[];
}

export type Outcome = CommentModel['outcome'];

/** The part of a comment that depends on what is live and on what people agreed to. */
export type Standing = Pick<CommentModel, 'live' | 'missing' | 'given' | 'obstacles'>;

/** What planning it now gives; never throws for what may pass: that is an outcome too. */
export async function assess(
  deps: AssessDeps,
  args: {
    readonly pull: PullNumber;
    readonly namespace: NamespaceName;
    readonly fleet: FleetManifests;
    readonly revision: Revision;
    readonly tip: TrackedTip;
    /** Image strings are resolved again, whatever was shown before. */
    readonly refresh: boolean;
  },
): Promise<Outcome> {
  const { pull, namespace, fleet, revision, tip, refresh } = args;
  if (fleet.invalid.has(namespace)) return { kind: 'invalid' };
  const desired = desiredOf(fleet, namespace);
  const common = {
    store: deps.store,
    revision,
    managedBy: 'git',
    gatewayPorts: deps.gatewayPorts,
    onlyRegistries: tip.settings.images.registries,
    ...ruleFor(rulesOf(tip.settings), namespace),
  } satisfies Omit<PlanRequest, 'desired'>;
  try {
    const result =
      desired === null
        ? await planRemoval({ ...common, namespace })
        : await planDesired({
            ...common,
            desired,
            refreshImages: refresh,
            // What was shown stays what is shown, so that an approval is not for a tag of yesterday.
            reviewed: await imagesShownIn(deps.store, { namespace, desired: desiredDigest(desired), pull }),
          });
    return result.ok ? { kind: 'planned', plan: result.plan } : { kind: 'refused', failures: result.failures };
  } catch (error) {
    if (error instanceof SlipwayError) return { kind: 'unavailable', why: error.message };
    throw error;
  }
}

/** What is live, what people agreed to of a plan, and what keeps it from being carried out. */
export async function standing(deps: AssessDeps, namespace: NamespaceName, plan: Plan | null): Promise<Standing> {
  const { store, clock } = deps;
  const agreements = createAgreements({ bucket: store.bucket('consents') });
  const freezes = createFreezes({ bucket: store.bucket('freezes'), now: () => clock.now() });
  const [live, frozen, record, missing] = await Promise.all([
    store.log.live(namespace),
    freezes.holding(namespace),
    deps.namespaces.get(namespace),
    plan === null ? [] : agreements.missing(plan),
  ]);
  const obstacles: string[] = [];
  if (frozen !== null) obstacles.push(`${frozenText(frozen)}.`);
  if (record.held !== null) {
    obstacles.push(`${namespace} was last changed by hand (${record.held.by}: ${record.held.why}).`);
  }
  return {
    live: live === null ? null : { n: live.n, at: live.at, revision: live.source.revision },
    missing,
    given: plan === null ? [] : await givenTo(agreements, plan, missing),
    obstacles,
  };
}

async function givenTo(
  agreements: Agreements,
  plan: Plan,
  missing: readonly AgreementKind[],
): Promise<CommentModel['given']> {
  const given = needsOf(plan).filter((it) => !missing.includes(it));
  const consents = await Promise.all(
    given.map((kind) => agreements.given({ namespace: plan.namespace, plan: plan.id }, kind)),
  );
  return consents.flatMap((it) => (it === null ? [] : [{ kind: it.kind, by: it.by }]));
}
