/** Carry out a plan from a command: live progress, Ctrl-C, the end in words. */
import { carryOut } from '../controller/carry-out.ts';
import type { Deploy } from '../schemas/deploy.ts';
import { isSlipwayError } from '../schemas/errors.ts';
import type { Plan } from '../schemas/plan.ts';
import type { Connection } from './connect.ts';
import { EXIT } from './exit-codes.ts';
import { createProgressView } from './progress.ts';
import type { CommandContext } from './run-command.ts';

/** How long a command waits for another executor of the namespace. */
export const WAIT_FOR_LEASE_MS = 35_000;
const LOOK_EVERY_MS = 200;

/** The end of another's deploy of the same plan over the same release: a consent lets the controller go on too. */
async function carriedOutElsewhere({ deploys, clock }: Connection, plan: Plan): Promise<Deploy | null> {
  for (const until = clock.now() + WAIT_FOR_LEASE_MS; ; await clock.sleep(LOOK_EVERY_MS)) {
    const all = await deploys.list(plan.namespace);
    const same = all.findLast((it) => it.planId === plan.id && it.tip === plan.basis.tip) ?? null;
    if (same === null || same.endedAt !== null || clock.now() > until) return same;
  }
}

/**
 * @param more what else the result says of the ended deploy
 * @returns the exit code
 */
export async function carryOutAndReport(
  context: CommandContext,
  connection: Connection,
  plan: Plan,
  more: (deploy: Deploy) => object = () => ({}),
): Promise<number> {
  const { output } = context;
  const view = await createProgressView(output, output.colors.bold(plan.namespace));
  try {
    const { deploy, reverted } = await carryOut(connection, {
      plan,
      actor: connection.actor,
      signal: context.signal,
      onProgress: view.show,
      waitForLeaseMs: WAIT_FOR_LEASE_MS,
    }).catch(async (error: unknown) => {
      const other = isSlipwayError(error, 'BASIS_MOVED') ? await carriedOutElsewhere(connection, plan) : null;
      if (other === null) throw error;
      output.note(`${other.actor} carried exactly this plan out first`);
      return { deploy: other, reverted: null };
    });
    view.done();
    const good = deploy.state === 'done' || deploy.state === 'cleanup-pending';
    output.result({ ...more(deploy), deploy, reverted }, () => {
      if (deploy.pending.length > 0) output.note(`still cleaning up on ${deploy.pending.join(', ')}; it is retried`);
      if (reverted !== null) output.line(`went back: ${reverted.state}, release #${reverted.releases.at(-1) ?? 0}`);
      if (!good) output.note(`\`slipway deploys ${plan.namespace}\` keeps this; what was live before still serves`);
    });
    if (good) return EXIT.ok;
    return deploy.failure?.code === 'FROZEN' ? EXIT.refused : EXIT.failed;
  } finally {
    view.done();
  }
}
