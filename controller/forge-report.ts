/** Whether the forge answers: said when that changes and never twice, and kept so that `slipway status` can say it too. */
import { z } from 'zod';
import type { Logger } from '../schemas/logger.ts';
import type { Bucket, Store } from '../store/port.ts';
import { type AnnounceDeps, announce } from './announce.ts';
import { isoNow } from './execute/clock.ts';

const ForgeReport = z.strictObject({
  at: z.iso.datetime(),
  /** Why pull requests wait, as a sentence without its full stop; null: it answers. */
  why: z.string().nullable(),
});
export type ForgeReport = z.infer<typeof ForgeReport>;

const KEY = ['forge'];

/** null: no controller has asked a forge yet. */
export async function readForgeReport(cluster: Pick<Bucket, 'get'>): Promise<ForgeReport | null> {
  return ForgeReport.safeParse((await cluster.get(KEY))?.value).data ?? null;
}

export interface ForgeHealth {
  /** null: it answered. */
  heard(failure: unknown): Promise<void>;
}

/** @param deps.say for the person who watches `slipway up` */
export function createForgeHealth(
  deps: AnnounceDeps & {
    readonly store: Pick<Store, 'bucket'>;
    readonly say: (text: string) => void;
    readonly log: Logger;
  },
): ForgeHealth {
  const cluster = deps.store.bucket('cluster');
  /** undefined: what an earlier term said is not read yet. */
  let said: string | null | undefined;
  return {
    async heard(failure) {
      const why = failure === null ? null : failure instanceof Error ? failure.message : 'the forge cannot be asked';
      if (said === undefined) said = (await readForgeReport(cluster))?.why ?? null;
      // Times in it change from try to try: only another kind of trouble is worth another word.
      if (kindOf(why) === kindOf(said)) return;
      await cluster.put(KEY, { at: isoNow(deps.clock), why });
      said = why;
      const message = why === null ? 'pull requests are looked at again' : `${why}; pull requests wait, deploys do not`;
      await announce(deps, {
        kind: why === null ? 'forge.available' : 'forge.unavailable',
        namespace: null,
        actor: 'controller',
        message,
      });
      deps.say(`forge: ${message}`);
    },
  };
}

function kindOf(why: string | null): string | null {
  return why === null ? null : why.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '');
}
