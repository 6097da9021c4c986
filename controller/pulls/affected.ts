/** Which namespaces a pull request is about: those whose desired state is another after the merge. Pure. */
import type { NamespaceName } from '../../schemas/names.ts';
import type { Desired } from '../../schemas/service.ts';
import type { FleetManifests } from '../fleet-manifests.ts';
import { desiredDigest } from '../reconcile.ts';

/** `touched`: differ, or have problems now. `untouched`: are exactly as before. Both in order. */
export interface Affected {
  readonly touched: readonly NamespaceName[];
  readonly untouched: readonly NamespaceName[];
}

/** Compares the tracked branch with the merge result; neither has seen the other's problems. */
export function affectedBy(base: FleetManifests, merged: FleetManifests): Affected {
  const before = digests(base);
  const after = digests(merged);
  const all = [...new Set([...before.keys(), ...after.keys(), ...base.invalid, ...merged.invalid])].toSorted();
  const isTouched = (it: NamespaceName) => before.get(it) !== after.get(it) || merged.invalid.has(it);
  return { touched: all.filter(isTouched), untouched: all.filter((it) => !isTouched(it)) };
}

/** The desired state of a namespace; null: the revision has none, or only one with problems. */
export function desiredOf(fleet: FleetManifests, namespace: NamespaceName): Desired | null {
  return fleet.desired.find((it) => it.namespace === namespace) ?? null;
}

function digests(fleet: FleetManifests): Map<NamespaceName, string> {
  return new Map(fleet.desired.map((it) => [it.namespace, desiredDigest(it)]));
}
