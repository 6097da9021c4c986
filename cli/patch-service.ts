/** One service of what is live is changed by hand: planned, shown, held against git, carried out. */

import { byHand } from '../controller/by-hand.ts';
import type { ServicePatch } from '../controller/patch/patch.ts';
import { planPatch } from '../controller/reconcile.ts';
import { isSlipwayError } from '../schemas/errors.ts';
import { hasChanges, type Plan } from '../schemas/plan.ts';
import type { Settings } from '../schemas/settings.ts';
import { carryOutAndReport } from './carry-out.ts';
import { exitCodeOf, planOrThrow, printPlan } from './commands/plan.ts';
import type { Connection } from './connect.ts';
import { rulesFor } from './desired.ts';
import { EXIT } from './exit-codes.ts';
import { requirePermission } from './permission.ts';
import { type CommandContext, textOption } from './run-command.ts';

export interface PatchServiceArgs {
  readonly namespace: string;
  readonly patch: ServicePatch;
  readonly settings: Settings;
  /** For the hold, unless `-m` says why. */
  readonly why: string;
  readonly refreshImages?: boolean;
}

/** How often a plan is made again because another deploy of the namespace came first. */
const MOST_PLANS = 5;

/** @returns the exit code; 0 without touching anything when the service is what the patch asks for */
export async function patchService(
  context: CommandContext,
  connection: Connection,
  args: PatchServiceArgs,
): Promise<number> {
  for (let left = MOST_PLANS; ; left--) {
    try {
      return await patchOnce(context, connection, args);
    } catch (error) {
      // Pipelines of other services deploy at the same time. Nothing was touched, and a patch is of what is live now.
      if (left === 1 || !isSlipwayError(error, 'BASIS_MOVED')) throw error;
      context.output.note(`${args.namespace}: another deploy came first; planned again`);
    }
  }
}

async function patchOnce(
  context: CommandContext,
  connection: Connection,
  { namespace, patch, settings, why, refreshImages = false }: PatchServiceArgs,
): Promise<number> {
  const { output } = context;
  const { store, gatewayPorts } = connection;
  const dryRun = context.options['dryRun'] === true;
  if (!dryRun) await connection.recover(namespace, context.signal);
  const live = await store.log.live(namespace);
  const plan = planOrThrow(
    await planPatch({
      store,
      namespace,
      patch,
      settings,
      refreshImages,
      revision: null,
      managedBy: live?.managedBy ?? 'manual',
      ...(await rulesFor(connection, namespace)),
      gatewayPorts,
    }),
  );
  if (dryRun) {
    output.result(plan, () => printPlan(output, plan));
    return exitCodeOf(context, plan);
  }
  const about = { namespace, service: patch.service, plan: plan.id };
  const target = `${namespace}/${patch.service}`;
  if (!hasChanges(plan)) {
    output.result({ ...about, state: 'unchanged', deploy: null }, () => {
      output.line(`${target}: unchanged, release #${plan.basis.release ?? 0} is live`);
      noteStopped(context, plan, patch.service);
    });
    return EXIT.ok;
  }
  await requirePermission(context, connection, plan);
  printPlan(output, plan);
  const message = textOption(context, 'message') ?? why;
  const code = await byHand(connection, { plan, why: message }, () =>
    carryOutAndReport(context, connection, plan, ({ state }) => ({ ...about, state })),
  );
  if (code !== EXIT.ok) return code;
  noteStopped(context, plan, patch.service);
  return exitCodeOf(context, plan);
}

/** Whoever reads that a deploy went well should know when nobody answers nevertheless. */
function noteStopped({ output }: CommandContext, plan: Plan, service: string): void {
  if (plan.services.find((it) => it.name === service)?.placement.replicaCount !== 0) return;
  const target = `${plan.namespace}/${service}`;
  output.note(`${target} is stopped, and its hostnames answer 404: \`slipway start ${target}\` starts it`);
}
