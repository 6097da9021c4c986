/** Pruning images: those that we pulled and that neither a recent release, nor an open deploy, nor a container uses. */
import { isSlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import { imageText, ServiceSpec } from '../schemas/service.ts';
import type { Log, Specs } from '../store/port.ts';
import type { Engine } from './docker/port.ts';
import type { ImageHistory } from './image-history.ts';
import type { Journal } from './journal.ts';
import { createLimit } from './locks.ts';
import { keptReleases, type Pressure } from './needed-images.ts';
import type { WantedImages } from './wanted-images.ts';

/** Log entries that are looked through for releases. */
const LOOK_BACK = 200;

export interface PrunerDeps {
  readonly engine: Pick<Engine, 'removeImage'>;
  readonly history: ImageHistory;
  readonly wanted: Pick<WantedImages, 'list' | 'knows'>;
  readonly journal: Journal;
  readonly log: Pick<Log, 'namespaces' | 'tip' | 'entries'>;
  readonly specs: Pick<Specs, 'get'>;
  readonly logger: Logger;
}

/** Removes what nothing needs. Does nothing unless every namespace's history could be read. */
export function createPruner(deps: PrunerDeps): (pressure: Pressure) => Promise<void> {
  const { engine, history, wanted, journal, log, specs, logger } = deps;
  const inTurn = createLimit(1);

  async function releasedSpecs(namespace: string, pressure: Pressure): Promise<string[]> {
    const tip = await log.tip(namespace);
    const entries = await log.entries(namespace, { from: Math.max(1, tip - LOOK_BACK) });
    const { live } = journal.view(namespace);
    const releases = [...keptReleases(entries, pressure), ...(live === null ? [] : [live])];
    return releases.flatMap((it) => [...Object.values(it.services), ...it.slots.map((row) => row.spec)]);
  }

  /** Candidates of open deploys, and both sides of a swap. */
  function heldSpecs(namespace: string): string[] {
    const { open, swaps } = journal.view(namespace);
    const rows = [
      ...Object.values(open).flatMap((it) => it.candidates),
      ...swaps.flatMap((it) => [...it.stops, ...it.starts]),
    ];
    return rows.map((it) => it.spec);
  }

  async function needed(pressure: Pressure): Promise<Set<string>> {
    const namespaces = [...new Set([...(await log.namespaces()), ...journal.namespaces()])];
    const released = await Promise.all(namespaces.map((it) => releasedSpecs(it, pressure)));
    const digests = new Set([...released.flat(), ...namespaces.flatMap(heldSpecs)]);
    const found = await Promise.all(
      [...digests].map(async (it) => journal.spec(it) ?? ServiceSpec.parse(await specs.get(it))),
    );
    return new Set(found.map((it) => imageText(it.template.image)));
  }

  /** A deploy that an earlier run of the agent pulled for: which images, nobody knows any more. */
  function isUncertain(): boolean {
    return journal
      .namespaces()
      .some((namespace) => Object.keys(journal.view(namespace).open).some((it) => !wanted.knows(namespace, it)));
  }

  return async (pressure) =>
    await inTurn(async () => {
      // With little space left, an image that has to be pulled again does less harm.
      if (pressure === 'calm' && isUncertain()) return;
      try {
        const before = history.list();
        if (before.length === 0) return;
        const keep = await needed(pressure);
        for (const ref of before) {
          // Looked at each time: a deploy may have asked for it meanwhile.
          if (keep.has(ref) || wanted.list().includes(ref)) continue;
          // The engine refuses while any container, ours or not, uses it.
          if (!(await engine.removeImage(ref))) continue;
          await history.forget(ref);
          logger.info({ image: ref, pressure }, 'removed an image that no recent release uses');
        }
      } catch (error) {
        if (!isSlipwayError(error)) throw error;
        logger.debug({ err: error }, 'images were not pruned this time');
      }
    });
}
