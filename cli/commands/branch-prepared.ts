/** `slipway branch prepare | apply-prepared`: a fork whose plan was looked at runs exactly as it was, or not at all. */
import { PLAN_DIGITS, shortId } from '../../controller/consent/needs.ts';
import { isoNow } from '../../controller/execute/clock.ts';
import { summary } from '../../controller/plan/describe.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { PreparedFork } from '../../schemas/preview.ts';
import { forkOf, planFork, requireForkable, urlsOfPlan } from '../branch/fork.ts';
import { type Connection, connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../run-command.ts';
import { carryOutFork } from './branch.ts';
import { planOrThrow, printPlan } from './plan.ts';

const KEY = 'prepared';

export async function prepare(context: CommandContext): Promise<number> {
  const { output } = context;
  await using connection = await connect(context);
  const fork = await forkOf(context, connection);
  const plan = planOrThrow(await planFork(connection, fork));
  const { tip, release, desiredDigest, images } = plan.basis;
  const forkedFrom = fork.forkedFrom ?? { namespace: context.args[0] ?? '', n: 1 };
  const prepared: PreparedFork = {
    plan: plan.id,
    namespace: plan.namespace,
    source: forkedFrom.namespace,
    desired: fork.desired,
    images,
    forkedFrom,
    basis: { tip, release, desiredDigest },
    summary: summary(plan),
    by: connection.actor,
    at: isoNow(connection.clock),
  };
  await connection.store.bucket('previews').put([KEY, plan.id], prepared);
  output.result({ ...prepared, urls: urlsOfPlan(connection, plan) }, () => {
    printPlan(output, plan);
    output.line(`prepared: \`slipway branch apply-prepared ${shortId(plan.id)}\` carries it out`);
  });
  return EXIT.ok;
}

export async function applyPrepared(context: CommandContext): Promise<number> {
  await using connection = await connect(context);
  const prepared = await find(connection, context.args[0] ?? '');
  await requireForkable(connection, prepared.namespace);
  await connection.recover(prepared.namespace, context.signal);
  // The images that were resolved then, whatever their tags mean by now.
  const plan = planOrThrow(await planFork(connection, prepared));
  const { tip, release, desiredDigest } = plan.basis;
  const now = { tip, release, desiredDigest };
  if (plan.id !== prepared.plan || JSON.stringify(now) !== JSON.stringify(prepared.basis)) {
    const why =
      plan.id === prepared.plan
        ? `something was deployed to ${plan.namespace} since`
        : 'it would do something else now';
    throw new SlipwayError(
      'BASIS_MOVED',
      `plan ${shortId(prepared.plan)} is not carried out: ${why}; prepare it again`,
    );
  }
  const code = await carryOutFork(context, connection, plan);
  if (code === EXIT.ok) await connection.store.bucket('previews').delete([KEY, prepared.plan]);
  return code;
}

/** @throws USAGE when the text names none or several */
async function find({ store }: Connection, text: string): Promise<PreparedFork> {
  const all = (await store.bucket('previews').list([KEY])).map((it) => PreparedFork.parse(it.value));
  const found = text.length < PLAN_DIGITS ? [] : all.filter((it) => it.plan.startsWith(text));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const known = all.map((it) => `${shortId(it.plan)} (${it.namespace} from ${it.source})`).join(', ');
  throw new SlipwayError(
    'USAGE',
    `no prepared fork is called ${text}; there ${known === '' ? 'is none' : `are ${known}`}`,
  );
}
