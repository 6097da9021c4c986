/** Plans that were shown to people, kept whole by id, so that a later one can be compared with what was approved. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { Digest, type NamespaceName } from '../../schemas/names.ts';
import { Plan } from '../../schemas/plan.ts';
import type { ImageRef } from '../../schemas/service.ts';
import type { Bucket } from '../../store/port.ts';
import { changeRecord } from '../change-record.ts';

/** How many plans of a namespace are kept: the newest. */
const KEPT = 200;

/** `gzip`: the plan's JSON, compressed, in base64: a plan of many services would not fit a message. */
const Kept = z.strictObject({ gzip: z.base64() });
/** The plans of a namespace that are kept, newest last: their ids, and of which desired state each is. */
const Index = z.strictObject({ plans: z.array(z.strictObject({ id: Digest, desired: Digest })) });

const readIndex = (value: unknown) => Index.safeParse(value).data ?? { plans: [] };
const indexKey = (namespace: NamespaceName) => ['plans', namespace];
const planKey = (namespace: NamespaceName, id: string) => ['plan', namespace, id];

/** The plan can be read by its id until `KEPT` newer ones of its namespace were kept. Of two with one id, the later stays. */
export async function keepShownPlan(pulls: Bucket, plan: Plan): Promise<void> {
  const { namespace, id } = plan;
  const own = { id, desired: plan.basis.desiredDigest };
  await pulls.put(planKey(namespace, id), { gzip: gzipSync(JSON.stringify(plan)).toString('base64') });
  let over: readonly { readonly id: string }[] = [];
  await changeRecord(pulls, indexKey(namespace), readIndex, ({ plans }) => {
    const all = [...plans.filter((it) => it.id !== id), own];
    over = all.slice(0, -KEPT);
    return { plans: all.slice(-KEPT) };
  });
  for (const it of over) await pulls.delete(planKey(namespace, it.id));
}

/** null: it was not kept, or not by this version. */
export async function readShownPlan(pulls: Bucket, namespace: NamespaceName, id: string): Promise<Plan | null> {
  const kept = Kept.safeParse((await pulls.get(planKey(namespace, id)))?.value);
  if (!kept.success) return null;
  return Plan.safeParse(JSON.parse(gunzipSync(Buffer.from(kept.data.gzip, 'base64')).toString())).data ?? null;
}

/** What the image strings of a desired state meant when people last saw its plan, by service; null: nobody did. */
export async function reviewedImages(
  pulls: Bucket,
  namespace: NamespaceName,
  desired: Digest,
): Promise<Readonly<Record<string, ImageRef>> | null> {
  const { plans } = readIndex((await pulls.get(indexKey(namespace)))?.value);
  const last = plans.findLast((it) => it.desired === desired);
  const plan = last === undefined ? null : await readShownPlan(pulls, namespace, last.id);
  return plan === null ? null : plan.basis.images;
}
