/** Carry out a plan from a command: live progress, Ctrl-C, the end in words. */
import { carryOut } from '../controller/carry-out.ts';
import type { Deploy } from '../schemas/deploy.ts';
import type { Plan } from '../schemas/plan.ts';
import type { Connection } from './connect.ts';
import { EXIT } from './exit-codes.ts';
import { createProgressView } from './progress.ts';
import type { CommandContext } from './run-command.ts';

/** How long a command waits for another executor of the namespace. */
export const WAIT_FOR_LEASE_MS = 35_000;

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
