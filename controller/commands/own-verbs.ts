/** The verbs that need nothing but the state: approve, rollback, freeze, unfreeze. */
import type { NamespaceName } from '../../schemas/names.ts';
import { followedNamespaces } from '../pulls/after-merge.ts';
import type { PullRecords } from '../pulls/records.ts';
import { type ApproveDeps, approve } from './approve.ts';
import { type FreezeDeps, freeze, unfreeze } from './freeze.ts';
import { type RollbackDeps, rollback } from './rollback.ts';
import { type Asked, type CommandVerbs, Refused } from './verbs.ts';

export type OwnVerbDeps = ApproveDeps & RollbackDeps & FreezeDeps & { readonly records: Pick<PullRecords, 'get'> };

export function createOwnVerbs(deps: OwnVerbDeps): Pick<CommandVerbs, 'approve' | 'rollback' | 'freeze' | 'unfreeze'> {
  /** The one that was named, if it is known, or the only one that the pull request is about. */
  async function namespaceFor(asked: Asked, named: NamespaceName | null): Promise<NamespaceName> {
    const record = await deps.records.get(asked.pull.number);
    const about = record === null ? [] : followedNamespaces(record);
    if (named === null) {
      const [only] = about;
      if (only !== undefined && about.length === 1) return only;
      const which = about.length === 0 ? 'no namespace' : about.join(', ');
      throw new Refused(`This pull request is about ${which}: name the one that is meant.`);
    }
    const known = new Set([
      ...(await deps.store.log.namespaces()),
      ...(await deps.namespaces.list()).map((it) => it.namespace),
      ...(await deps.freezes.list()).map((it) => it.scope),
      ...about,
    ]);
    // A freeze of a misspelt name would hold nothing.
    if (!known.has(named)) throw new Refused(`There is no namespace ${named}.`);
    return named;
  }

  return {
    approve: (asked, plan) => approve(deps, asked, plan),
    rollback: async (asked, named, to) =>
      await rollback(deps, asked, { namespace: await namespaceFor(asked, named), to }),
    freeze: async (asked, named, why) =>
      await freeze(deps, asked, { namespace: await namespaceFor(asked, named), why }),
    unfreeze: async (asked, named) => await unfreeze(deps, asked, { namespace: await namespaceFor(asked, named) }),
  };
}
