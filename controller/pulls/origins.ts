/** Which pull requests a plan came from: those that show it, and those that were merged and are not followed to the end. */
import type { PullRecord } from '../../schemas/forge.ts';
import type { AgreedPlan, Origin } from '../consent/forge-check.ts';
import type { PullRecords } from './records.ts';

/**
 * In order of number. A record that cannot be read is a bug, and throws: its author would be missed.
 *
 * @param fromGit the plan is what git says, so that it carries out what was merged
 */
export async function originsOf(
  records: Pick<PullRecords, 'list'>,
  plan: AgreedPlan,
  { fromGit }: { readonly fromGit: boolean },
): Promise<Origin[]> {
  return (await records.list())
    .filter((it) => isOrigin(it, plan, fromGit))
    .map(({ number, author, askedBy = [] }) => ({ number, author, askedBy }))
    .toSorted((a, b) => a.number - b.number);
}

function isOrigin(record: PullRecord, { id, namespace, basis }: AgreedPlan, fromGit: boolean): boolean {
  const { state, mergeCommit, namespaces } = record;
  if (state === 'closed' || (state === 'done' && mergeCommit === null)) return false;
  const own = Object.hasOwn(namespaces, namespace) ? namespaces[namespace] : undefined;
  if (own === undefined) return false;
  const showsIt = own.desiredDigest === basis.desiredDigest || own.plans.some((it) => it.plan === id);
  // Merged one after another, they may end up in one plan that none of them showed. Without a comment it was not touched.
  return showsIt || (fromGit && state === 'merged' && own.comment !== null);
}
