/** start: a candidate fills the slot beside the released instance, and is ready. */
import type { Instances } from '../instances.ts';
import type { Journal } from '../journal.ts';
import { withCandidates } from '../journal-records.ts';
import type { Vault } from '../secrets/vault.ts';
import type { WaitReady } from '../wait-ready.ts';
import { refuseClosed } from './closed.ts';
import type { Handler } from './handler.ts';

export interface StartDeps {
  readonly vault: Pick<Vault, 'keep'>;
  readonly journal: Journal;
  readonly instances: Pick<Instances, 'ensureRunning'>;
  readonly ready: Pick<WaitReady, 'wait'>;
  readonly now: () => number;
}

export function startStep({ vault, journal, instances, ready, now }: StartDeps): Handler<'start'> {
  return async ({ order: { row, spec, secrets = [] } }, { namespace, deploy, progress, signal }) => {
    await vault.keep(namespace, secrets);
    await journal.keepSpecs({ [row.spec]: spec });
    const at = new Date(now()).toISOString();
    await journal.change(namespace, 'candidate', (ops) => withCandidates(ops, deploy, [row], at));
    progress(`starting ${row.slot}`);
    await instances.ensureRunning(namespace, row, spec, refuseClosed(journal, namespace, deploy, signal));
    progress(`waiting for ${row.slot} to be ready`);
    await ready.wait(namespace, row, spec, now() + spec.deadlineMs, signal);
    return {};
  };
}
