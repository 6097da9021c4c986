/** `slipway rollback`: back to an earlier release, with its exact images. */

import { planBack } from '../../controller/plan-back.ts';
import { hasChanges } from '../../schemas/plan.ts';
import { carryOutAndReport } from '../carry-out.ts';
import { connect } from '../connect.ts';
import { rulesFor } from '../desired.ts';
import { EXIT } from '../exit-codes.ts';
import { requirePermission } from '../permission.ts';
import { type CommandContext, numberOption, textOption } from '../run-command.ts';
import { exitCodeOf, planOrThrow, printPlan } from './plan.ts';

export async function rollback(context: CommandContext): Promise<number> {
  const [namespace = ''] = context.args;
  const { output } = context;
  await using connection = await connect(context);
  if (context.options['dryRun'] !== true) await connection.recover(namespace, context.signal);
  const plan = planOrThrow(
    await planBack(connection, {
      namespace,
      to: numberOption(context, 'to') ?? null,
      rule: await rulesFor(connection, namespace),
    }),
  );
  if (context.options['dryRun'] === true) {
    output.result(plan, () => printPlan(output, plan));
    return exitCodeOf(context, plan);
  }
  if (!hasChanges(plan)) {
    output.result({ namespace, state: 'unchanged', plan: plan.id }, () => output.line(`${namespace}: unchanged`));
    return EXIT.ok;
  }
  await requirePermission(context, connection, plan);
  // Held first: a loop that sees the rollback must not take it back.
  await connection.hold(namespace, textOption(context, 'message') ?? `rolled back to release #${plan.rollbackTo ?? 0}`);
  printPlan(output, plan);
  return await carryOutAndReport(context, connection, plan);
}
