/**
 * Swaps: stop-first replacement, recorded before each turn, so that whatever crash comes between, the agent alone brings
 * it to one of its two ends: the starts are ready, or the stops run again.
 */
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import type { ServiceSpec } from '../schemas/service.ts';
import { type Evidence, Evidence as EvidenceSchema } from '../schemas/step.ts';
import type { TracePoint } from '../store/trace.ts';
import { isCommitted, pendingSwaps } from './desired.ts';
import type { Allowed, Instances } from './instances.ts';
import type { Journal } from './journal.ts';
import { type Swap, withoutSwap, withSwap } from './journal-records.ts';
import type { KeyedLocks } from './locks.ts';
import type { WaitReady } from './wait-ready.ts';
import { sleep } from './waiting.ts';

export interface Swaps {
  /**
   * Carries the recorded swap on to its end. Resolves when the starts serve.
   * @throws why they do not; then the stops run again.
   */
  carryOn(namespace: string, swap: Pick<Swap, 'deploy' | 'id'>, signal: AbortSignal): Promise<void>;
  /** Back to the stops, whatever was reached; the record says `undone`. */
  undo(namespace: string, swap: Swap): Promise<void>;
  /** Every swap that a crash interrupted is brought to its end. */
  resume(signal: AbortSignal): Promise<void>;
  /** Swaps of a closed deploy: those that the live release names are forgotten, the others are undone and forgotten. */
  settle(namespace: string, deploy: string): Promise<void>;
}

export interface SwapsDeps {
  readonly journal: Journal;
  readonly instances: Instances;
  readonly ready: WaitReady;
  readonly locks: KeyedLocks;
  readonly log: Logger;
  readonly trace: TracePoint;
  readonly now: () => number;
  readonly lifetime: AbortSignal;
}

/** How often Docker may refuse what brings the old instances back, before healing takes over. */
const MAX_REFUSALS = 5;
const RETRY_MS = 500;

export function createSwaps(deps: SwapsDeps): Swaps {
  const { journal, instances, ready, locks, log, trace, now, lifetime } = deps;

  const underWay = new Map<string, AbortController>();

  const record = (namespace: string, swap: Pick<Swap, 'deploy' | 'id'>) =>
    journal.view(namespace).swaps.find((it) => it.deploy === swap.deploy && it.id === swap.id);

  const write = (namespace: string, swap: Swap) =>
    journal.change(namespace, `swap.${swap.state}`, (ops) => withSwap(ops, swap));

  function specOf(digest: string): ServiceSpec {
    const spec = journal.spec(digest);
    if (spec === null) throw new Error(`the journal names spec ${digest} but does not have it`);
    return spec;
  }

  function stillOpen(namespace: string, swap: Swap, signal: AbortSignal): Allowed {
    return () => {
      signal.throwIfAborted();
      if (record(namespace, swap)?.state !== 'open') throw new SlipwayError('STEP_FAILED', 'the swap is being undone');
    };
  }

  async function forward(namespace: string, swap: Swap, signal: AbortSignal): Promise<void> {
    const allowed = stillOpen(namespace, swap, signal);
    if (now() >= swap.deadlineAt) throw new SlipwayError('NEVER_READY', 'the deadline of the swap has passed');
    // Made while the old ones still serve: what cannot even be made costs no outage.
    await Promise.all(swap.starts.map((row) => instances.ensureCreated(namespace, row, specOf(row.spec), allowed)));
    trace('swap.created');
    await Promise.all(swap.stops.map((row) => instances.ensureStopped(namespace, row, allowed)));
    trace('swap.stopped');
    await Promise.all(
      swap.starts.map(async (row) => {
        const spec = specOf(row.spec);
        await instances.ensureRunning(namespace, row, spec, allowed);
        await ready.wait(namespace, row, spec, swap.deadlineAt, signal);
      }),
    );
    trace('swap.ready');
    await write(namespace, { ...swap, state: 'done' });
  }

  async function backward(namespace: string, swap: Swap): Promise<void> {
    await write(namespace, { ...swap, state: 'undoing' });
    // What the two fight over must be free before the old ones come back.
    await insist('remove what a swap had started', () =>
      Promise.all(swap.starts.map((row) => instances.ensureGone(namespace, row))),
    );
    trace('swap.undo.gone');
    const wanted = swap.stops.filter((row) => journal.spec(row.spec) !== null);
    await insist('start again what a swap had stopped', () =>
      Promise.all(
        wanted.map((row) => instances.ensureRunning(namespace, row, specOf(row.spec), () => lifetime.throwIfAborted())),
      ),
    );
    trace('swap.undo.running');
    // From here on they are healed like any released instance.
    await write(namespace, { ...swap, state: 'undone' });
  }

  /** Tried until it works while Docker is away; what Docker refuses several times over is left to healing. */
  async function insist(what: string, work: () => Promise<unknown>): Promise<void> {
    for (let refused = 0; refused < MAX_REFUSALS; ) {
      try {
        await work();
        return;
      } catch (error) {
        lifetime.throwIfAborted();
        if (!isSlipwayError(error, 'ENGINE_UNAVAILABLE')) refused += 1;
        log.warn({ err: error }, `could not ${what}`);
        await sleep(RETRY_MS, lifetime);
      }
    }
  }

  async function run(namespace: string, swap: Swap, signal: AbortSignal): Promise<void> {
    if (swap.state === 'done') return;
    if (swap.state === 'undone') throw failureOf(swap);
    if (swap.state === 'undoing') {
      await backward(namespace, swap);
      throw failureOf(swap);
    }
    for (;;) {
      try {
        await forward(namespace, swap, signal);
        return;
      } catch (error) {
        // Shutting down, or closed while it was under way: the next run, or whoever closes, decides.
        if (lifetime.aborted || signal.aborted) throw error;
        if (isSlipwayError(error, 'ENGINE_UNAVAILABLE')) {
          await sleep(RETRY_MS, signal);
          continue;
        }
        if (!isSlipwayError(error))
          log.error({ err: error, namespace, deploy: swap.deploy }, 'a swap failed for a bug');
        const failed = { ...swap, failure: describe(error) };
        await backward(namespace, failed);
        throw failureOf(failed);
      }
    }
  }

  const keyOf = (namespace: string, swap: Pick<Swap, 'deploy' | 'id'>) => `swap/${namespace}/${swap.deploy}/${swap.id}`;

  const swaps: Swaps = {
    async carryOn(namespace, { deploy, id }, signal) {
      const key = keyOf(namespace, { deploy, id });
      const stop = new AbortController();
      await locks.run(
        key,
        async () => {
          const swap = record(namespace, { deploy, id });
          if (swap === undefined) throw new Error(`no record of swap ${id} of deploy ${deploy}`);
          underWay.set(key, stop);
          try {
            await run(namespace, swap, AbortSignal.any([signal, stop.signal]));
          } finally {
            underWay.delete(key);
          }
        },
        signal,
      );
    },

    async undo(namespace, swap) {
      const key = keyOf(namespace, swap);
      underWay.get(key)?.abort(new SlipwayError('ABORTED', 'the deploy was ended before its release'));
      await locks.run(
        key,
        async () => {
          const current = record(namespace, swap);
          if (current === undefined || current.state === 'undone') return;
          await backward(namespace, { ...current, failure: current.failure ?? VOIDED });
        },
        lifetime,
      );
    },

    async resume(signal) {
      const interrupted = journal.namespaces().flatMap((namespace) =>
        pendingSwaps(journal.view(namespace))
          .filter((it) => it.state === 'open' || it.state === 'undoing')
          .map((swap) => ({ namespace, swap })),
      );
      await Promise.all(
        interrupted.map(async ({ namespace, swap }) => {
          log.info({ namespace, deploy: swap.deploy, step: swap.id }, 'a swap was interrupted; carrying on');
          await swaps
            .carryOn(namespace, swap, signal)
            .catch((error: unknown) =>
              log.warn({ err: error, namespace, deploy: swap.deploy }, 'the interrupted swap did not succeed'),
            );
        }),
      );
    },

    async settle(namespace, deploy) {
      for (const swap of journal.view(namespace).swaps.filter((it) => it.deploy === deploy)) {
        if (!isCommitted(journal.view(namespace), swap)) await swaps.undo(namespace, swap);
        await journal.change(namespace, 'swap.forget', (ops) => withoutSwap(ops, swap));
      }
    },
  };
  return swaps;
}

const VOIDED = { code: 'ABORTED', message: 'the deploy was ended before its release', evidence: [] };

function describe(error: unknown): NonNullable<Swap['failure']> {
  if (!isSlipwayError(error))
    return { code: 'STEP_FAILED', message: 'the swap failed for an internal error', evidence: [] };
  return { code: error.code, message: error.message, evidence: evidenceOf(error) };
}

function failureOf(swap: Swap): SlipwayError {
  const { code, message, evidence } = swap.failure ?? VOIDED;
  return new SlipwayError(code as SlipwayError['code'], message, { evidence });
}

/** Evidence that a failure carries in its details. */
export function evidenceOf(error: SlipwayError): Evidence[] {
  const found = EvidenceSchema.array().safeParse(error.details['evidence'] ?? []);
  return found.success ? found.data : [];
}
