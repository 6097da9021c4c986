/** The generation of fences: raised when the state is rebuilt, so that no fence of before can win. */
import { z } from 'zod';
import { isSlipwayError } from '../schemas/errors.ts';
import type { Bucket } from './port.ts';

const ClusterRecord = z.looseObject({ generation: z.int().min(1) });
const KEY = ['record'];

/** The generation is higher than it was, and at least this; gives it. Nobody else may use the store meanwhile. */
export async function raiseGeneration(
  cluster: Bucket,
  args: { readonly installation: string; readonly atLeast: number },
): Promise<number> {
  const before = await readGeneration(cluster, args.installation);
  const generation = Math.max(before + 1, args.atLeast);
  const present = ClusterRecord.parse((await cluster.get(KEY))?.value);
  await cluster.put(KEY, { ...present, generation });
  return generation;
}

/** Reads it from the cluster record, which is made when there is none. */
export async function readGeneration(cluster: Bucket, installation: string | null): Promise<number> {
  const entry = await cluster.get(KEY);
  if (entry !== null) return ClusterRecord.parse(entry.value).generation;
  try {
    await cluster.create(KEY, { installation, generation: 1 });
    return 1;
  } catch (error) {
    if (!isSlipwayError(error, 'STATE_CONFLICT')) throw error;
    return await readGeneration(cluster, installation);
  }
}
