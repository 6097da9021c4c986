/** Pruning images: those that we pulled and that neither a recent release, nor an open deploy, nor a container uses. */
import { isSlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import { imageText, ServiceSpec } from '../schemas/service.ts';
import type { Log, Specs } from '../store/port.ts';
import type { Engine } from './docker/port.ts';
import type { ImageHistory } from './image-history.ts';
import type { Journal } from './journal.ts';

/** Releases of a namespace that one may want to go back to. */
const KEPT_RELEASES = 5;
/** Log entries that are looked through for them. */
const LOOK_BACK = 200;

export interface PrunerDeps {
  readonly engine: Pick<Engine, 'removeImage'>;
  readonly history: ImageHistory;
  readonly journal: Journal;
  readonly log: Pick<Log, 'namespaces' | 'tip' | 'entries'>;
  readonly specs: Pick<Specs, 'get'>;
  readonly logger: Logger;
}

/** Removes what nothing needs. Does nothing unless every namespace's history could be read. */
export function createPruner(deps: PrunerDeps): () => Promise<void> {
  const { engine, history, journal, log, specs, logger } = deps;

  async function recentSpecs(namespace: string): Promise<string[]> {
    const tip = await log.tip(namespace);
    const entries = await log.entries(namespace, { from: Math.max(1, tip - LOOK_BACK) });
    const releases = entries.filter((it) => it.kind === 'release').slice(-KEPT_RELEASES);
    return releases.flatMap((it) => [...Object.values(it.services), ...it.slots.map((row) => row.spec)]);
  }

  async function needed(): Promise<Set<string>> {
    const namespaces = [...new Set([...(await log.namespaces()), ...journal.namespaces()])];
    const held = namespaces.flatMap((it) => Object.values(journal.view(it).open).flatMap((one) => one.candidates));
    const digests = new Set([...(await Promise.all(namespaces.map(recentSpecs))).flat(), ...held.map((it) => it.spec)]);
    const found = await Promise.all(
      [...digests].map(async (it) => journal.spec(it) ?? ServiceSpec.parse(await specs.get(it))),
    );
    return new Set(found.map((it) => imageText(it.template.image)));
  }

  return async () => {
    // A pull comes before the deploy holds anything: while one is open, nothing is certain.
    if (journal.namespaces().some((it) => Object.keys(journal.view(it).open).length > 0)) return;
    try {
      if (history.list().length === 0) return;
      const before = history.list();
      const keep = await needed();
      for (const ref of before.filter((it) => !keep.has(it))) {
        // The engine refuses while any container, ours or not, uses it.
        if (!(await engine.removeImage(ref))) continue;
        await history.forget(ref);
        logger.info({ image: ref }, 'removed an image that no recent release uses');
      }
    } catch (error) {
      if (!isSlipwayError(error)) throw error;
      logger.debug({ err: error }, 'images were not pruned this time');
    }
  };
}
