/**
 * Takes previews away: the loop removes the namespace, then volumes and records go, then it is proven that nothing is
 * left. Looks at all that are to go again and again, from their records: it does not matter what was lost before.
 */
import { isSlipwayError } from '../../schemas/errors.ts';
import type { PreviewRecord } from '../../schemas/preview.ts';
import { isoNow } from '../execute/clock.ts';
import { digestOfTarget } from '../loop.ts';
import type { PreviewsDeps } from './previews.ts';
import type { PreviewRecords } from './records.ts';
import { takeInventory, tearDown } from './teardown.ts';

export interface RemoverDeps extends PreviewsDeps {
  readonly records: PreviewRecords;
  readonly onRemoved: (record: PreviewRecord) => void;
}

export interface Remover {
  /** It is to go, for this reason; it is on the disk, and the loop knows. */
  begin(record: PreviewRecord, why: string): Promise<PreviewRecord>;
  /** Look now rather than later. */
  wake(): void;
  /** `every` is called at each look, before. */
  run(every: () => Promise<void>, signal: AbortSignal): Promise<void>;
}

const LOOK_MS = 5_000;
const REMEMBERS_WITHIN_MS = 10_000;

export function createRemover(deps: RemoverDeps): Remover {
  const { store, records, loop, clock, log } = deps;
  let ring = () => {};
  let rung = false;
  const wake = () => {
    rung = true;
    ring();
  };

  function wantGone({ namespace, revision }: PreviewRecord): void {
    const rules = { maxRemovePercent: 100, approvalRequired: false };
    loop.want({ namespace, desired: null, revision, managedBy: 'preview', ...rules });
  }

  async function begin(record: PreviewRecord, why: string): Promise<PreviewRecord> {
    const looked = await takeInventory(deps, record.namespace, record.hostnames).catch(() => null);
    const before = looked === null || looked.silent.length > 0 ? null : looked.inventory;
    const going = await records.change(record.namespace, (it) => ({
      ...(it ?? record),
      state: 'removing',
      why,
      before,
      proof: '',
    }));
    deps.trace?.('preview:removing');
    // What somebody did there by hand does not keep it.
    await deps.namespaces.change(record.namespace, (it) => ({ ...it, held: null }));
    wantGone(going);
    wake();
    return going;
  }

  /** One step further with one that is to go. */
  async function advance(record: PreviewRecord, signal: AbortSignal): Promise<void> {
    const { namespace } = record;
    wantGone(record);
    if ((await store.log.live(namespace)) !== null || (await deps.deploys.listOpen(namespace)).length > 0) {
      await tryAgain(record);
      return;
    }
    if (await isRemembering(record)) return;
    deps.trace?.('preview:tear');
    const { clean, text } = await tearDown(deps, { ...record, signal });
    deps.trace?.('preview:torn');
    const state = clean ? ('removed' as const) : ('removing' as const);
    const endedAt = clean ? isoNow(clock) : null;
    const after = await records.change(namespace, (it) => ({ ...(it ?? record), state, endedAt, proof: text }));
    if (JSON.stringify(after) === JSON.stringify(record)) return;
    log.info({ namespace, pull: record.pull, clean }, text);
    if (clean) deps.trace?.('preview:removed');
    if (clean) await tell(record, `${namespace} is removed: ${record.why}; ${text}`);
    deps.onRemoved(after);
  }

  /** The loop is about to write down that it has removed the namespace: that must not come after the proof. */
  async function isRemembering({ namespace }: PreviewRecord): Promise<boolean> {
    const tip = await store.log.tip(namespace);
    const last = tip === 0 ? null : await store.log.read(namespace, tip);
    if (last?.kind !== 'removed' || clock.now() - Date.parse(last.at) > REMEMBERS_WITHIN_MS) return false;
    const entry = await store.bucket('namespaces').get([namespace]);
    return entry !== null && (await deps.namespaces.get(namespace)).carriedOut !== digestOfTarget(null);
  }

  /** A removal that failed for good is tried again: nobody else will ask for it. */
  async function tryAgain(record: PreviewRecord): Promise<void> {
    const { failed } = await deps.namespaces.get(record.namespace);
    if (failed === null || failed.retryAt !== null) return;
    await deps.namespaces.change(record.namespace, (it) => ({ ...it, failed: null }));
    loop.poke(record.namespace);
  }

  async function tell({ namespace }: PreviewRecord, message: string): Promise<void> {
    const event = { at: isoNow(clock), kind: 'preview.removed', namespace, deploy: null, machine: null };
    await store.events.publish({ ...event, actor: deps.actor, message });
  }

  async function advanceAll(signal: AbortSignal): Promise<void> {
    const going = (await records.list()).filter((it) => it.state === 'removing');
    for (const it of going) {
      await advance(it, signal).catch(async (error: unknown) => {
        if (signal.aborted) return;
        const why = isSlipwayError(error) ? error.message : 'it failed for an internal error';
        log.warn({ err: error, namespace: it.namespace }, 'a preview could not be taken away; it is tried again');
        await records.change(it.namespace, (now) => ({ ...(now ?? it), proof: `${why}; it is tried again` }));
      });
    }
  }

  return {
    begin,
    wake,
    async run(every, signal) {
      while (!signal.aborted) {
        rung = false;
        try {
          await every();
          await advanceAll(signal);
        } catch (error) {
          if (!signal.aborted) log.warn({ err: error }, 'previews could not be looked at; it is tried again');
        }
        if (!rung) await rest(signal);
      }
    },
  };

  async function rest(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    ring = () => woken.abort();
    if (rung) return;
    await clock.sleep(LOOK_MS, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
  }
}
