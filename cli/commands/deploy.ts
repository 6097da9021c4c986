/** `slipway deploy`: carry out what git says now, or a manifest given by hand. */

import { desiredDigest } from '../../controller/reconcile.ts';
import { currentSecrets } from '../../controller/secrets.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { hasChanges } from '../../schemas/plan.ts';
import { carryOutAndReport } from '../carry-out.ts';
import { type Connection, connect } from '../connect.ts';
import { type DesiredSource, desiredFromFile, desiredFromGit } from '../desired.ts';
import { EXIT } from '../exit-codes.ts';
import { requirePermission } from '../permission.ts';
import { type CommandContext, textOption } from '../run-command.ts';
import { refuseVariables, variablesOf } from '../variables.ts';
import { exitCodeOf, planOrThrow, planSource, printPlan } from './plan.ts';

export async function deploy(context: CommandContext): Promise<number> {
  const file = textOption(context, 'file');
  if (file === undefined && context.args.length === 0) {
    throw new SlipwayError(
      'USAGE',
      'name a namespace (`slipway deploy production`) or a manifest (`slipway deploy -f production.toml`)',
    );
  }
  if (file === undefined) refuseVariables(context);
  await using connection = await connect(context);
  let worst: number = EXIT.ok;
  const sources =
    file === undefined
      ? await Promise.all(context.args.map((it) => desiredFromGit(connection, it, context.signal)))
      : [await desiredFromFile(file, connection, variablesOf(context))];
  for (const source of sources) worst = Math.max(worst, await deployOne(context, connection, source));
  return worst;
}

async function deployOne(context: CommandContext, connection: Connection, source: DesiredSource): Promise<number> {
  const { output } = context;
  if (context.options['dryRun'] !== true) await connection.recover(source.namespace, context.signal);
  const plan = planOrThrow(await planSource(connection, source, context.options['pull'] === true));
  if (context.options['dryRun'] === true) {
    output.result(plan, () => printPlan(output, plan));
    return exitCodeOf(context, plan);
  }
  if (!hasChanges(plan)) {
    await rememberSource(context, connection, source);
    output.result({ namespace: plan.namespace, state: 'unchanged', plan: plan.id }, () =>
      output.line(`${plan.namespace}: unchanged, release #${plan.basis.release ?? 0} is live`),
    );
    return EXIT.ok;
  }
  await requirePermission(context, connection, plan);
  printPlan(output, plan);
  const code = await carryOutAndReport(context, connection, plan);
  if (code === EXIT.ok) await rememberSource(context, connection, source);
  return code === EXIT.ok ? exitCodeOf(context, plan) : code;
}

/** After a deploy from git the loop is up to date; after one by hand it keeps its hands off. */
async function rememberSource(context: CommandContext, connection: Connection, source: DesiredSource): Promise<void> {
  const { desired } = source;
  if (source.revision !== null && desired !== null) {
    const digest = desiredDigest(desired);
    const secrets = await currentSecrets(connection.store.bucket('secrets'), desired, 'git');
    await connection.namespaces.change(source.namespace, (it) => ({
      ...it,
      carriedOut: digest,
      secrets,
      failed: null,
      held: null,
    }));
    return;
  }
  if (source.revision === null)
    await connection.hold(source.namespace, textOption(context, 'message') ?? 'deployed by hand');
}
