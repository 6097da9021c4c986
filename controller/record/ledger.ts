/**
 * The ledger: follows the log and keeps the history of every namespace in git. It runs beside everything and blocks
 * nothing: what cannot be pushed now is pushed later, from the log.
 */
import { hasCommit, LedgerHead, ledgerRef } from '../../schemas/ledger.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { NamespaceName, Revision } from '../../schemas/names.ts';
import type { Bucket, Events, Log } from '../../store/port.ts';
import { type ChainDeps, createChain, ForeignLedger } from './chain.ts';
import { ledgerNamespaces } from './read-ledger.ts';

export interface LedgerDeps extends ChainDeps {
  readonly log: Pick<Log, 'tip' | 'entries' | 'read' | 'watch' | 'namespaces'>;
  readonly heads: Pick<Bucket, 'get' | 'put'>;
  readonly events: Pick<Events, 'publish'>;
  readonly repository: ChainDeps['repository'] & { readonly name: string };
  readonly clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  readonly logger: Logger;
  readonly actor: string;
  /** What a person who watches should read, line by line. */
  readonly say: (text: string) => void;
}

export interface Ledger {
  /** Until the signal aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

const BACKOFF_FIRST_MS = 2_000;
const BACKOFF_MOST_MS = 300_000;
/** How often refs are compared with what was pushed, so that a forged one is noticed without a release. */
const COMPARE_EVERY_MS = 600_000;

export function createLedger(deps: LedgerDeps): Ledger {
  const { log, clock, heads, logger } = deps;
  const waiting = new Set<NamespaceName>();
  /** Refs that are not ours, and what they were when that was said. */
  const parked = new Map<NamespaceName, Revision>();
  /** Refs that are not what was pushed last. */
  const suspect = new Set<NamespaceName>();
  let wake = () => {};
  let failures = 0;
  let told = '';

  const remember = async (namespace: NamespaceName, head: LedgerHead) =>
    void (await heads.put(['ledger', namespace], head));
  const chain = createChain(deps, remember);

  function want(namespace: NamespaceName): void {
    waiting.add(namespace);
    wake();
  }

  /** What is remembered saves asking the remote; the ref decides as soon as there is something to push. */
  async function remembered(namespace: NamespaceName): Promise<LedgerHead | null> {
    const head = LedgerHead.safeParse((await heads.get(['ledger', namespace]))?.value);
    return head.success ? head.data : null;
  }

  async function bringUp(namespace: NamespaceName, signal: AbortSignal): Promise<void> {
    const head = await remembered(namespace);
    const since = await log.entries(namespace, { from: (head?.n ?? 0) + 1 });
    const doubted = parked.has(namespace) || suspect.has(namespace);
    if (!doubted && since.every((it) => !hasCommit(it))) return;
    try {
      const { n, revision } = await chain.bringUp(namespace, signal);
      suspect.delete(namespace);
      if (revision !== null && revision !== head?.revision) await remember(namespace, { n, revision });
      if (parked.delete(namespace)) await tell('ledger.resumed', namespace, `${ledgerRef(namespace)} is ours again`);
    } catch (error) {
      chain.forget(namespace);
      if (!(error instanceof ForeignLedger)) throw error;
      if (parked.get(error.namespace) === error.revision) return;
      parked.set(error.namespace, error.revision);
      await tell('ledger.foreign', error.namespace, `${error.message}; it is left as it is. ${advice(error, head)}`);
    }
  }

  /** Refs that are not what was pushed are looked at. */
  async function compare(signal: AbortSignal): Promise<void> {
    const refs = await ledgerNamespaces(deps.workshop, signal);
    for (const namespace of await log.namespaces()) {
      const head = await remembered(namespace);
      const now = refs.get(namespace) ?? null;
      if (parked.get(namespace) === now || head === null || head.revision === now) continue;
      suspect.add(namespace);
      chain.forget(namespace);
      want(namespace);
    }
  }

  async function tell(kind: string, namespace: NamespaceName | null, message: string): Promise<void> {
    deps.say(`ledger: ${message}`);
    const about = { namespace, deploy: null, machine: null, actor: deps.actor };
    await deps.events.publish({ at: new Date(clock.now()).toISOString(), kind, ...about, message });
  }

  /** @returns what could not be done */
  async function workOff(signal: AbortSignal): Promise<unknown[]> {
    const failed: unknown[] = [];
    const now = [...waiting];
    waiting.clear();
    for (const namespace of now) {
      if (signal.aborted) return [];
      try {
        await bringUp(namespace, signal);
      } catch (error) {
        if (signal.aborted) return [];
        // The others are tried too: what fails may be about this one.
        failed.push(error);
        logger.warn({ err: error, namespace }, 'the ledger could not be pushed; it is tried again');
        waiting.add(namespace);
      }
    }
    return failed;
  }

  async function onFailure(error: unknown): Promise<void> {
    failures++;
    const why = error instanceof Error ? error.message : String(error);
    const message = `${why}; releases are written to git once that is over, deploys go on`;
    if (message !== told) await tell('ledger.unavailable', null, message).catch(() => undefined);
    told = message;
  }

  async function onSuccess(): Promise<void> {
    failures = 0;
    if (told !== '') await tell('ledger.available', null, `releases are written to ${deps.repository.name} again`);
    told = '';
  }

  async function run(signal: AbortSignal): Promise<void> {
    await log.watch((namespace) => want(namespace), signal);
    let compareAt = clock.now();
    while (!signal.aborted) {
      const [error] = await round(compareAt, signal);
      if (signal.aborted) return;
      if (error === undefined) {
        if (clock.now() >= compareAt) compareAt = clock.now() + COMPARE_EVERY_MS;
        if (waiting.size === 0) await pause(Math.max(0, compareAt - clock.now()), signal);
        continue;
      }
      await onFailure(error);
      // Nothing wakes it: a remote that is away is not asked at every release.
      const ms = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** (failures - 1));
      await clock.sleep(ms, signal).catch(() => undefined);
    }
  }

  /** @returns what could not be done */
  async function round(compareAt: number, signal: AbortSignal): Promise<unknown[]> {
    try {
      if (clock.now() >= compareAt) await compare(signal);
      const failed = await workOff(signal);
      if (failed.length === 0) await onSuccess();
      return failed;
    } catch (error) {
      return [error];
    }
  }

  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    wake = () => woken.abort();
    if (waiting.size > 0) wake();
    await clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    wake = () => {};
  }

  return {
    async run(signal) {
      while (!signal.aborted) {
        try {
          await run(signal);
        } catch (error) {
          if (signal.aborted) return;
          logger.error({ err: error }, 'the ledger stopped for a bug; it begins again');
          await clock.sleep(BACKOFF_MOST_MS, signal).catch(() => undefined);
        }
      }
    },
  };
}

/** What puts a ref right again. */
function advice({ namespace }: ForeignLedger, head: LedgerHead | null): string {
  const ref = ledgerRef(namespace);
  const back = head === null ? `:${ref}` : `+${head.revision}:${ref}`;
  return `Whoever may push there is worth a look; \`git push origin ${back}\` puts it right, and it goes on by itself`;
}
