/** Puts the look at agreements of a forge together from what is stored: rules, pull requests, plans that wait. */
import type { Store } from '../../store/port.ts';
import { createAgreements } from '../consent/agreements.ts';
import {
  type AgreedPlan,
  type ConfirmAgreement,
  createForgeCheck,
  type ForgeCheckDeps,
} from '../consent/forge-check.ts';
import { approverRule, readRules } from '../rules.ts';
import { originsOf } from './origins.ts';
import type { PullRecords } from './records.ts';

/** Whether an agreement given on the forge is still good, by the rules that the controller last read from the tracked branch. */
export function createConfirmer(deps: {
  readonly forge: ForgeCheckDeps['forge'];
  readonly store: Pick<Store, 'bucket'>;
  readonly records: Pick<PullRecords, 'list'>;
}): ConfirmAgreement {
  const { forge, store, records } = deps;
  const agreements = createAgreements({ bucket: store.bucket('consents') });
  const askedBy = async ({ id, namespace }: AgreedPlan) =>
    (await agreements.pending(namespace)).find((it) => it.plan === id)?.forgeUser ?? null;
  return createForgeCheck({
    forge,
    rule: async (namespace) => {
      const rules = await readRules(store.bucket('cluster'));
      return rules === null ? null : approverRule(rules, namespace);
    },
    origins: async (plan) => await originsOf(records, plan, { fromGit: (await askedBy(plan)) === null }),
    askedBy,
  });
}
