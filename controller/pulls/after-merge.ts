/** After the merge: how far the tracked branch, the loop and the deploy are with one namespace. */
import type { Deploy } from '../../schemas/deploy.ts';
import type { PullRecord } from '../../schemas/forge.ts';
import type { Digest, NamespaceName } from '../../schemas/names.ts';
import type { Deploys } from '../execute/deploys.ts';
import { digestOfTarget } from '../loop.ts';
import type { Namespaces } from '../namespaces.ts';
import { plannedDigest } from '../pass.ts';
import { desiredOf } from './affected.ts';
import type { TrackedTip } from './read-pull.ts';

/** `over`: nothing more will happen to it by this merge. */
export interface AfterMerge {
  readonly state: 'not-begun' | 'deploying' | 'live' | 'failed' | 'superseded';
  readonly deploy: Deploy | null;
  readonly note: string;
  readonly over: boolean;
}

/** What became of the namespace, by what the tracked branch says of it now. */
export async function afterMerge(
  deps: { readonly namespaces: Namespaces; readonly deploys: Deploys },
  args: { readonly namespace: NamespaceName; readonly tip: TrackedTip; readonly followed: Digest | null },
): Promise<AfterMerge> {
  const { namespace, tip, followed } = args;
  const desired = desiredOf(tip.fleet, namespace);
  const target = digestOfTarget(desired);
  const [record, deploys] = await Promise.all([deps.namespaces.get(namespace), deps.deploys.list(namespace)]);
  const inDeploys = plannedDigest({ namespace, desired });
  const deploy = deploys.findLast((it) => it.source.desiredDigest === inDeploys) ?? null;
  if (followed !== null && followed !== inDeploys) {
    const note = 'A later commit changed this namespace again; what runs now is shown there.';
    return { state: 'superseded', deploy: null, note, over: true };
  }
  if (record.carriedOut === target && record.failed === null) return { state: 'live', deploy, note: '', over: true };
  if (record.failed?.desiredDigest === target) {
    const { code, message, retryAt } = record.failed;
    const again = retryAt === null ? '' : ' It is tried again by itself.';
    return { state: 'failed', deploy, note: `${code}: ${message}${again}`, over: false };
  }
  const begun = deploy !== null && deploy.endedAt === null;
  return { state: begun ? 'deploying' : 'not-begun', deploy: begun ? deploy : null, note: '', over: false };
}

/** Namespaces of a merged pull request that had a comment: the others were not changed by it. */
export function followedNamespaces(record: PullRecord): NamespaceName[] {
  return Object.entries(record.namespaces).flatMap(([name, it]) => (it.comment === null ? [] : [name]));
}
