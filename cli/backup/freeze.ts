/** The freeze that a restored installation comes up with: the loop acts on nothing until somebody has looked. */
import type { Bucket } from '../../store/port.ts';

/** Everything is frozen, without an end; a freeze that is there already gives way to this one. */
export async function freezeAll(freezes: Bucket, { by, why, at }: { by: string; why: string; at: string }) {
  await freezes.put(['all'], { scope: '*', by, why, at, until: null });
}
