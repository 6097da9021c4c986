/** Plans that were shown to people, kept whole by id, so that a later one can be compared with what was approved. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { PullNumber } from '../../schemas/forge.ts';
import { Digest, type NamespaceName } from '../../schemas/names.ts';
import { Plan } from '../../schemas/plan.ts';
import type { Bucket } from '../../store/port.ts';
import { changeRecord } from '../change-record.ts';

/** How many plans of a namespace are kept: the newest. */
const KEPT = 200;
/** Of one pull request. */
const KEPT_OF_PULL = 10;

/** `gzip`: the plan's JSON, compressed, in base64: a plan of many services would not fit a message. */
const Kept = z.strictObject({ gzip: z.base64() });

/** Where a plan was shown: in a pull request, as what git says and waits for people, or as what somebody asked for by hand. */
const ShownIn = z.union([
  z.strictObject({ pull: PullNumber, fork: z.boolean() }),
  z.literal('git'),
  z.literal('by-hand'),
]);
export type ShownIn = z.infer<typeof ShownIn>;

/** That a plan was shown: of which desired state it is, and over which release. */
const Showing = z.strictObject({ id: Digest, desired: Digest, release: z.int().nullable(), in: ShownIn });
export type Showing = z.infer<typeof Showing>;

/** The plans of a namespace that are kept, newest last. */
const Index = z.strictObject({ plans: z.array(Showing) });

const readIndex = (value: unknown) => Index.safeParse(value).data ?? { plans: [] };
const indexKey = (namespace: NamespaceName) => ['plans', namespace];
const planKey = (namespace: NamespaceName, id: string) => ['plan', namespace, id];

/** The plan can be read by its id until enough newer ones of its namespace were kept. Of two with one id, the later stays. */
export async function keepShownPlan(pulls: Bucket, plan: Plan, shownIn: ShownIn): Promise<void> {
  const { namespace, id, basis } = plan;
  const own: Showing = { id, desired: basis.desiredDigest, release: basis.release, in: shownIn };
  await pulls.put(planKey(namespace, id), { gzip: gzipSync(JSON.stringify(plan)).toString('base64') });
  let over: readonly string[] = [];
  await changeRecord(pulls, indexKey(namespace), readIndex, ({ plans }) => {
    const kept = within([...plans.filter((it) => !isAgain(it, own)), own], own);
    over = plans.map((it) => it.id).filter((it) => kept.every((other) => other.id !== it));
    return { plans: kept };
  });
  for (const it of new Set(over)) await pulls.delete(planKey(namespace, it));
}

function isAgain(before: Showing, now: Showing): boolean {
  return before.id === now.id && before.desired === now.desired && isSamePlace(before.in, now.in);
}

function isSamePlace(a: ShownIn, b: ShownIn): boolean {
  return typeof a === 'string' || typeof b === 'string' ? a === b : a.pull === b.pull;
}

/** Strangers can open pull requests and push as often as they like: what others were shown is not forgotten for that. */
function within(plans: readonly Showing[], own: Showing): Showing[] {
  const isOwn = (it: Showing) => typeof it.in !== 'string' && isSamePlace(it.in, own.in);
  const tooMany = plans.filter(isOwn).slice(0, -KEPT_OF_PULL);
  const left = plans.filter((it) => !tooMany.includes(it));
  const isForks = (it: Showing) => typeof it.in !== 'string' && it.in.fork && it !== own;
  const forksFirst = [...left.filter(isForks), ...left.filter((it) => !isForks(it))];
  const over = forksFirst.slice(0, Math.max(0, left.length - KEPT));
  return left.filter((it) => !over.includes(it));
}

/** null: it was not kept, or not by this version. */
export async function readShownPlan(pulls: Bucket, namespace: NamespaceName, id: string): Promise<Plan | null> {
  const kept = Kept.safeParse((await pulls.get(planKey(namespace, id)))?.value);
  if (!kept.success) return null;
  return Plan.safeParse(JSON.parse(gunzipSync(Buffer.from(kept.data.gzip, 'base64')).toString())).data ?? null;
}

/** Where plans of a desired state were shown, newest last. */
export async function showingsOf(pulls: Bucket, namespace: NamespaceName, desired: Digest): Promise<Showing[]> {
  const { plans } = readIndex((await pulls.get(indexKey(namespace)))?.value);
  return plans.filter((it) => it.desired === desired);
}
