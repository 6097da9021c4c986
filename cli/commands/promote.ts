/** `slipway promote`: another namespace takes over the exact image digests that one runs. */

import { byHand } from '../../controller/by-hand.ts';
import { type CarriedOut, carryOut } from '../../controller/carry-out.ts';
import { isoNow } from '../../controller/execute/clock.ts';
import { forgeFromEnv } from '../../controller/forge/from-env.ts';
import { type Difference, differencesOf } from '../../controller/promotion/differences.ts';
import { type LandDeps, landPromotion } from '../../controller/promotion/land.ts';
import { refText } from '../../controller/promotion/lock-text.ts';
import { type Promotion, preparePromotion } from '../../controller/promotion/prepare.ts';
import { promotionSummary } from '../../controller/promotion/promote.ts';
import { desiredDigest, planDesired } from '../../controller/reconcile.ts';
import { ruleFor, rulesOf } from '../../controller/rules.ts';
import { currentSecrets } from '../../controller/secrets.ts';
import { openTracked, readTracked } from '../../controller/tracked.ts';
import type { Deploy } from '../../schemas/deploy.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { hasChanges, type Plan } from '../../schemas/plan.ts';
import { WAIT_FOR_LEASE_MS } from '../carry-out.ts';
import { type Connection, connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { type Output, printable } from '../output.ts';
import { requirePermission } from '../permission.ts';
import { createProgressView } from '../progress.ts';
import type { CommandContext } from '../run-command.ts';
import { planOrThrow, printPlan } from './plan.ts';

export async function promote(context: CommandContext): Promise<number> {
  const [src = '', dst = ''] = context.args;
  const { output, signal } = context;
  await using connection = await connect(context);
  const deps = await landDeps(connection);
  const promotion = await preparePromotion(deps, { src, dst }, signal);
  if (context.options['dryRun'] === true) {
    const plan = await planOf(connection, promotion);
    const shown = promotionView(promotion, plan);
    output.result({ ...shown, plan }, () => {
      printPromotion(output, promotion, shown.differences);
      printPlan(output, plan);
    });
    return EXIT.ok;
  }
  printPromotion(output, promotion, []);
  const deployed = context.options['now'] === true ? await deployNow(context, connection, promotion) : null;
  if (deployed !== null && !deployed.ok) {
    const { deploy, reverted } = deployed;
    output.result({ ...promotionView(promotion, null), landed: null, deploy, reverted }, () =>
      output.note(`nothing was written to git; \`slipway deploys ${promotion.dst}\` keeps what happened`),
    );
    return deploy.failure?.code === 'FROZEN' ? EXIT.refused : EXIT.failed;
  }
  const end = await landPromotion(deps, promotion, connection.actor, signal);
  const summary = promotionSummary(end.promotion, end.landed);
  const deploy = deployed?.deploy ?? null;
  output.result({ ...promotionView(end.promotion, null), landed: end.landed, deploy }, () =>
    output.line(printable(summary)),
  );
  return EXIT.ok;
}

/** `ok` with a null deploy: it runs these images already. */
type DeployedNow =
  | { readonly ok: true; readonly deploy: Deploy | null }
  | { readonly ok: false; readonly deploy: Deploy; readonly reverted: Deploy | null };

async function landDeps(connection: Connection): Promise<LandDeps> {
  const { store, namespaces, clock, log, paths } = connection;
  const tracked = await readTracked(store.bucket('cluster'));
  if (tracked === null) {
    throw new SlipwayError(
      'SOURCE_UNAVAILABLE',
      'a promotion is written to git, and no fleet repository is followed yet: `slipway up --repo PATH` names one',
    );
  }
  const configured = forgeFromEnv({ env: process.env, location: tracked.location, clock, log });
  const repository = openTracked({ tracked, paths, env: process.env, log, token: configured?.gitToken });
  return { store, namespaces, repository, forge: configured?.forge ?? null, now: () => clock.now() };
}

async function planOf(connection: Connection, promotion: Promotion): Promise<Plan> {
  const { store, gatewayPorts } = connection;
  return planOrThrow(
    await planDesired({
      store,
      gatewayPorts,
      desired: promotion.after,
      revision: promotion.base,
      managedBy: 'git',
      promotedFrom: promotion.from,
      ...ruleFor(rulesOf(promotion.settings), promotion.dst),
    }),
  );
}

/**
 * Deploys what the lock will say. Until git says it too the loop must not take it back: the namespace is held against
 * what git says now and nothing else, so that the same digests from git end the hold and change nothing.
 */
async function deployNow(context: CommandContext, connection: Connection, promotion: Promotion): Promise<DeployedNow> {
  const { namespaces, store, clock, actor } = connection;
  const { dst, from, before, after } = promotion;
  await connection.recover(dst, context.signal);
  const plan = await planOf(connection, promotion);
  if (!hasChanges(plan)) {
    context.output.line(`${dst}: unchanged, it runs these images already`);
    return { ok: true, deploy: null };
  }
  await requirePermission(context, connection, plan);
  printPlan(context.output, plan);
  const holding = {
    store,
    namespaces,
    async hold(namespace: string, why: string) {
      const old = (await namespaces.get(namespace)).held;
      const held = { by: actor, why, at: isoNow(clock), desiredDigest: desiredDigest(before) };
      await namespaces.change(namespace, (it) => ({ ...it, held }));
      return { before: old, held };
    },
  };
  const why = `promoted from ${refText(from)} before git says so`;
  const work = () => watched(context, connection, plan);
  const { deploy, reverted } = promotion.same ? await work() : await byHand(holding, { plan, why }, work);
  if (deploy.state !== 'done' && deploy.state !== 'cleanup-pending') return { ok: false, deploy, reverted };
  const secrets = await currentSecrets(store.bucket('secrets'), after, 'git');
  await namespaces.change(dst, (it) => ({ ...it, carriedOut: desiredDigest(after), secrets, failed: null }));
  return { ok: true, deploy };
}

async function watched(context: CommandContext, connection: Connection, plan: Plan): Promise<CarriedOut> {
  const view = await createProgressView(context.output, context.output.colors.bold(plan.namespace));
  try {
    const { actor } = connection;
    const { signal } = context;
    return await carryOut(connection, {
      plan,
      actor,
      signal,
      onProgress: view.show,
      waitForLeaseMs: WAIT_FOR_LEASE_MS,
    });
  } finally {
    view.done();
  }
}

interface PromotionView {
  readonly from: Promotion['from'];
  readonly to: string;
  readonly lock: string;
  readonly promoted: readonly { readonly service: string; readonly image: string; readonly digest: string }[];
  readonly notPromoted: Promotion['notPromoted'];
  readonly dropped: readonly string[];
  readonly unchanged: boolean;
  /** What differs between the two and is not carried along; only with a plan. */
  readonly differences: readonly Difference[];
  readonly notes: readonly string[];
}

function promotionView(promotion: Promotion, plan: Plan | null): PromotionView {
  const services = promotion.promoted.map((it) => it.entry.service);
  const destination = new Map((plan?.services ?? []).map((it) => [it.name, it]));
  return {
    from: promotion.from,
    to: promotion.dst,
    lock: promotion.path,
    promoted: promotion.promoted.map(({ entry }) => entry),
    notPromoted: promotion.notPromoted,
    dropped: promotion.dropped.map((it) => it.service),
    unchanged: promotion.same,
    differences: differencesOf({ source: promotion.proved, destination, services }),
    notes: promotion.notes,
  };
}

const DIGEST_SHOWN = 19;

function printPromotion(output: Output, promotion: Promotion, differences: readonly Difference[]): void {
  const { from, dst, promoted, notPromoted, dropped, notes } = promotion;
  output.line(output.colors.bold(`${refText(from)} → ${dst}`));
  const rows = promoted.map(({ entry, before }) => [
    entry.service,
    entry.image,
    entry.digest.slice(0, DIGEST_SHOWN),
    before?.digest === entry.digest ? 'locked already' : '',
  ]);
  output.table(['SERVICE', 'IMAGE', 'DIGEST', ''], rows);
  for (const it of notPromoted) output.line(printable(`not promoted: ${it.service}: ${it.why}`));
  for (const it of dropped) output.line(printable(`taken out of the lock: ${it.service} (${it.image})`));
  for (const it of notes) output.note(printable(`note: ${it}`));
  if (differences.length === 0) return;
  output.line();
  output.line('Not carried along (set differently in the two namespaces):');
  const fields = differences.flatMap(({ service, fields: all }) =>
    all.map((it) => [service, it.path, it.before, it.after] as const),
  );
  output.table(['SERVICE', 'FIELD', from.namespace, dst], fields);
  output.line();
}
