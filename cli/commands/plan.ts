/** `slipway plan` and `slipway deploy preview`: what a deploy would do. */

import { failureText } from '../../controller/plan/failure-text.ts';
import type { PlanResult } from '../../controller/plan/input.ts';
import { renderMarkdown } from '../../controller/plan/render-markdown.ts';
import { renderTerminal } from '../../controller/plan/render-terminal.ts';
import { planDesired, planRemoval } from '../../controller/reconcile.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { hasChanges, type Plan } from '../../schemas/plan.ts';
import { type Connection, connect } from '../connect.ts';
import { type DesiredSource, desiredFromFile, desiredFromGit } from '../desired.ts';
import { EXIT } from '../exit-codes.ts';
import { type Output, printable } from '../output.ts';
import { type CommandContext, textOption } from '../run-command.ts';
import { refuseVariables, variablesOf } from '../variables.ts';

export async function plan(context: CommandContext): Promise<number> {
  const [namespace = ''] = context.args;
  const file = textOption(context, 'file');
  if (file === undefined) refuseVariables(context);
  return await showPlan(context, async (connection) => {
    if (file === undefined) return await desiredFromGit(connection, namespace, context.signal);
    const source = await desiredFromFile(file, connection, variablesOf(context));
    if (source.namespace === namespace) return source;
    throw new SlipwayError('USAGE', `${file} is a manifest of ${source.namespace}, not of ${namespace}`);
  });
}

export async function preview(context: CommandContext): Promise<number> {
  const file = textOption(context, 'file') ?? '';
  return await showPlan(context, async (connection) => await desiredFromFile(file, connection, variablesOf(context)));
}

async function showPlan(
  context: CommandContext,
  read: (connection: Connection) => Promise<DesiredSource>,
): Promise<number> {
  await using connection = await connect(context);
  const result = await planSource(connection, await read(connection), context.options['pull'] === true);
  const made = planOrThrow(result);
  context.output.result(made, () => {
    if (context.options['markdown'] === true) context.output.line(renderMarkdown(made));
    else printPlan(context.output, made);
  });
  return exitCodeOf(context, made);
}

/** A plan of what a source says; a namespace that git no longer has is a removal. */
export async function planSource(
  connection: Connection,
  source: DesiredSource,
  refreshImages: boolean,
): Promise<PlanResult> {
  const { store, gatewayPorts } = connection;
  const { namespace, revision, maxRemovePercent, approvalRequired } = source;
  const live = await store.log.live(namespace);
  const managedBy = live?.managedBy ?? (revision === null ? ('manual' as const) : ('git' as const));
  const common = { store, gatewayPorts, revision, maxRemovePercent, approvalRequired, managedBy };
  if (source.desired === null) return await planRemoval({ ...common, namespace });
  for (const note of source.notes ?? []) connection.output.note(printable(`note: ${note}`));
  const { desired, promotedFrom } = source;
  return await planDesired({ ...common, desired, refreshImages, promotedFrom });
}

/** @throws the first reason why there is no plan, with all of them in its message */
export function planOrThrow(result: PlanResult): Plan {
  if (result.ok) return result.plan;
  const [first] = result.failures;
  const message = result.failures.map(failureText).join('\n');
  throw new SlipwayError(first?.code ?? 'NO_CAPACITY', message, { failures: result.failures });
}

export function printPlan(output: Output, made: Plan): void {
  output.line(renderTerminal(made, { colors: output.colors }));
}

export function exitCodeOf(context: CommandContext, made: Plan): number {
  return context.options['detailedExitcode'] === true && hasChanges(made) ? EXIT.changes : EXIT.ok;
}
