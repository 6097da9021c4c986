/** Samples of instances from the agents of several machines, across deploys: what runs is asked for anew now and then. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../controller/execute/clock.ts';
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import type { Messages } from '../../store/port.ts';
import type { Sample } from './table.ts';

/** Instances that a deploy started meanwhile appear after this long at most. */
const ROUND_MS = 8_000;
const ANSWER_MS = 5_000;

const Answer = z.object({ slots: z.array(z.string()).optional(), error: z.object({ message: z.string() }).optional() });
const Piece = z.object({
  samples: z.array(
    z.object({
      namespace: z.string(),
      slot: z.string(),
      at: z.string(),
      cpuMillicores: z.number(),
      memoryBytes: z.number(),
      memoryLimitBytes: z.number(),
      rxBytes: z.number(),
      txBytes: z.number(),
    }),
  ),
});

export interface FollowStats {
  readonly messages: Pick<Messages, 'request' | 'publish' | 'subscribe'>;
  readonly clock: Clock;
  readonly machine: string;
  /** What is asked for: { namespace?, service? | slot? }. */
  readonly of: object;
  readonly onSample: (sample: Sample) => void;
  /** How many instances there are, at each round. */
  readonly onCount: (count: number) => void;
  readonly signal: AbortSignal;
}

/** Follows one machine until the signal aborts. @throws MACHINE_UNREACHABLE when its agent does not answer at first */
export async function followStats(deps: FollowStats): Promise<void> {
  const { messages, clock, machine, of, signal } = deps;
  let previous: { end(): void } | null = null;
  for (let round = 0; !signal.aborted; round += 1) {
    const inbox = ['inbox', randomUUID()];
    const over = new AbortController();
    const end = () => {
      messages.publish(['agent', machine, 'stats'], { inbox, cancel: true });
      over.abort();
    };
    messages.subscribe(
      inbox,
      (payload) => {
        const piece = Piece.safeParse(payload);
        if (!piece.success) return;
        previous?.end();
        previous = null;
        for (const it of piece.data.samples) deps.onSample({ ...it, machine });
      },
      over.signal,
    );
    try {
      const answer = Answer.parse(await messages.request(['agent', machine, 'stats'], { ...of, inbox }, ANSWER_MS));
      if (answer.error !== undefined) throw new SlipwayError('USAGE', answer.error.message);
      deps.onCount(answer.slots?.length ?? 0);
    } catch (error) {
      if (round === 0 || !isSlipwayError(error, 'MACHINE_UNREACHABLE', 'STATE_UNAVAILABLE')) throw error;
    }
    await clock.sleep(ROUND_MS, signal).catch(() => undefined);
    previous?.end();
    previous = { end };
  }
  previous?.end();
}
