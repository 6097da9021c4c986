/**
 * Following the log: the last release of each namespace is on the disk, gateway and names follow it, and deploys that the
 * log has ended are marked as closed. One idempotent function; steps, the log's watch and reconnects all call it.
 */
import { SlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import type { LogEntry, Release } from '../schemas/release.ts';
import { ServiceSpec } from '../schemas/service.ts';
import type { Log, Specs } from '../store/port.ts';
import type { Journal } from './journal.ts';
import { withClosed } from './journal-records.ts';
import type { KeyedLocks } from './locks.ts';
import type { Router } from './router.ts';

export interface Follower {
  /**
   * What the log says is on the disk; gateway and names follow soon, or with `atLeast` before this resolves.
   * @throws STATE_UNAVAILABLE: the last known stays.
   *
   * @param atLeast entry that somebody saw in the log; from here on the log is believed also where it says less than
   * the journal (it was rebuilt)
   */
  follow(namespace: string, signal: AbortSignal, atLeast?: number): Promise<void>;
  /** Whether the log was read up to its tip, and said no less than we knew. Reset when the connection is lost. */
  isSure(namespace: string): boolean;
  forgetSure(): void;
}

export interface FollowerDeps {
  readonly log: Pick<Log, 'tip' | 'live' | 'entries' | 'read'>;
  readonly specs: Pick<Specs, 'get'>;
  readonly journal: Journal;
  readonly router: Pick<Router, 'sync' | 'nudge'>;
  readonly locks: KeyedLocks;
  readonly logger: Logger;
}

export function createFollower(deps: FollowerDeps): Follower {
  const { log, specs, journal, router, locks, logger } = deps;
  const sure = new Set<string>();

  /** Tip, live release and the entries since `from`, all of one moment. */
  async function readLog(namespace: string, from: number, withEntries: boolean) {
    for (;;) {
      const tip = await log.tip(namespace);
      const entries = withEntries && tip >= from ? await log.entries(namespace, { from, to: tip }) : [];
      const live = await log.live(namespace);
      if (live === null || live.n <= tip) return { tip, entries, live };
    }
  }

  async function keepSpecs(release: Release): Promise<void> {
    const wanted = new Set([...Object.values(release.services), ...release.slots.map((it) => it.spec)]);
    const missing = [...wanted].filter((it) => journal.spec(it) === null);
    const found = await Promise.all(
      missing.map(async (digest) => [digest, ServiceSpec.parse(await specs.get(digest))] as const),
    );
    await journal.keepSpecs(Object.fromEntries(found));
  }

  return {
    isSure: (namespace) => sure.has(namespace),
    forgetSure: () => sure.clear(),
    async follow(namespace, signal, atLeast) {
      await locks.run(
        `follow/${namespace}`,
        async () => {
          const before = journal.view(namespace);
          const opened = Object.keys(before.open).length > 0 || before.swaps.length > 0;
          const { tip, entries, live } = await readLog(namespace, before.tip + 1, opened);
          if (atLeast !== undefined && tip < atLeast)
            throw new SlipwayError('STATE_UNAVAILABLE', `the log of ${namespace} ends at ${tip}, before ${atLeast}`);
          if (tip < before.tip && atLeast === undefined) {
            // A store that lost entries must not make us forget what we serve.
            sure.delete(namespace);
            logger.warn({ namespace, tip, known: before.tip }, 'the log says less than what was known');
            return;
          }
          // Marked before the entries count as read: a crash in between must not lose that a deploy has ended.
          for (const { deploy, n } of entries.filter((it) => endsDeploy(it) && before.open[it.deploy] !== undefined)) {
            await journal.change(namespace, 'closed', (ops) => withClosed(ops, deploy, n));
          }
          if (tip !== before.tip || atLeast !== undefined) {
            if (live !== null) await keepSpecs(live);
            await journal.learn(namespace, { tip, live });
          }
          sure.add(namespace);
          if (atLeast === undefined) router.nudge();
          else await router.sync(signal, namespace);
        },
        signal,
      );
    },
  };
}

/** Whether the entry is the last of its deploy. */
export function endsDeploy(entry: LogEntry): boolean {
  return entry.kind === 'void' || entry.kind === 'removed' || (entry.kind === 'release' && entry.final);
}
