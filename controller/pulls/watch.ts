/** Watches the state for what changes the words about a pull request: releases, deploys, holds, agreements, freezes. */
import type { PullNumber } from '../../schemas/forge.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { Store } from '../../store/port.ts';
import type { Clock } from '../execute/clock.ts';
import type { Previews } from '../previews/port.ts';
import type { Desk } from './desk.ts';

/** Changes within this time are looked at together; a deploy writes many. */
const GATHER_MS = 200;

/** Calls `look` for every pull request that a change may be about, until the signal aborts. */
export async function watchState(
  deps: {
    readonly store: Store;
    readonly desk: Desk;
    readonly previews: Previews;
    readonly clock: Clock;
    readonly log: Logger;
  },
  look: (number: PullNumber) => void,
  signal: AbortSignal,
): Promise<void> {
  const { store, desk, clock, log } = deps;
  const changed = new Set<NamespaceName>();
  let wake = () => {};
  const note = (namespace: string | undefined) => {
    if (namespace === undefined) return;
    changed.add(namespace);
    wake();
  };
  deps.previews.onChange(look, signal);
  signal.addEventListener('abort', () => wake(), { once: true });
  await Promise.all([
    store.log.watch((namespace) => note(namespace), signal),
    store.bucket('deploys').watch(({ key }) => note(key[1]), signal),
    store.bucket('namespaces').watch(({ key }) => note(key[0]), signal),
    store.bucket('consents').watch(({ key }) => note(key[1]), signal),
    store.bucket('freezes').watch(({ key }) => note(key[0] === 'all' ? ALL : key[1]), signal),
  ]);
  while (!signal.aborted) {
    if (changed.size === 0) await new Promise<void>((resolve) => (wake = resolve));
    await clock.sleep(GATHER_MS, signal).catch(() => undefined);
    const namespaces = [...changed];
    changed.clear();
    try {
      for (const number of await desk.about(namespaces.includes(ALL) ? null : namespaces)) look(number);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error }, 'pull requests could not be read; they are looked at again');
      for (const it of namespaces) changed.add(it);
      await clock.sleep(1_000, signal).catch(() => undefined);
    }
  }
}

const ALL = '*';
