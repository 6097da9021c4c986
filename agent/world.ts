/**
 * The world: our containers as the engine shows them, kept current by events and, because events get lost, by a list
 * every few seconds and after each reconnect. Before the first list nothing is known, and nothing may be decided.
 */
import type { Logger } from '../schemas/logger.ts';
import type { Container, Engine } from './docker/port.ts';
import { type Identity, identityOf, LABEL } from './identity.ts';
import { createShared } from './locks.ts';
import { createBell, type Subscribe, sleep } from './waiting.ts';

/** A container of this installation with what its labels say. */
export interface Seen extends Container {
  readonly identity: Identity;
  /** Of its last end, also when the engine has started it again since; null: none was seen. */
  readonly lastExitCode: number | null;
}

/** Events after which a container looks different; commands that are run in one (probes) cause many others. */
const TELLING: ReadonlySet<string> = new Set([
  'create',
  'start',
  'restart',
  'die',
  'oom',
  'kill',
  'stop',
  'pause',
  'unpause',
  'rename',
  'destroy',
]);

export interface World {
  /** null: the engine has not been listed yet. */
  containers(): readonly Seen[] | null;
  get(id: string): Seen | null;
  /** Whether the engine answered last time. */
  connected(): boolean;
  readonly subscribe: Subscribe;
  /** Looks at everything now. @throws ENGINE_UNAVAILABLE. */
  refresh(): Promise<void>;
  /** Looks at one container now. */
  look(id: string, signal?: AbortSignal): Promise<Seen | null>;
  /** Follows the engine until the signal aborts. `onReconnect`: it answers again after it did not. */
  run(signal: AbortSignal, onReconnect: () => void): Promise<void>;
}

export interface WorldDeps {
  readonly engine: Pick<Engine, 'list' | 'inspect' | 'events'>;
  readonly installation: string;
  readonly log: Logger;
  readonly relistEveryMs?: number;
}

/** Sees every container that carries this installation's label. */
export function createWorld({ engine, installation, log, relistEveryMs = 5000 }: WorldDeps): World {
  const ours = { [LABEL.installation]: installation };
  const seen = new Map<string, { container: Seen; fingerprint: string }>();
  const ends = new Map<string, number>();
  const bell = createBell();
  let listed = false;
  let connected = false;

  async function look(id: string, signal?: AbortSignal, fingerprint = ''): Promise<Seen | null> {
    const found = await engine.inspect(id, signal);
    const identity = found === null || found.labels[LABEL.installation] !== installation ? null : identityOf(found);
    if (found === null || identity === null) {
      ends.delete(id);
      if (seen.delete(id)) bell.ring();
      return null;
    }
    const before = seen.get(id);
    const lastExitCode = found.exitCode ?? ends.get(id) ?? before?.container.lastExitCode ?? null;
    const container = { ...found, identity, lastExitCode };
    seen.set(id, { container, fingerprint });
    if (JSON.stringify(before?.container) !== JSON.stringify(container)) bell.ring();
    return container;
  }

  async function listNow(): Promise<void> {
    try {
      const found = await engine.list(ours);
      const ids = new Set(found.map((it) => it.id));
      const gone = [...seen.keys()].filter((it) => !ids.has(it));
      for (const id of gone) {
        seen.delete(id);
        ends.delete(id);
      }
      const changed = found.filter((it) => seen.get(it.id)?.fingerprint !== it.fingerprint);
      await Promise.all(changed.map((it) => look(it.id, undefined, it.fingerprint)));
      const first = !listed;
      [listed, connected] = [true, true];
      if (first || gone.length > 0) bell.ring();
    } catch (error) {
      connected = false;
      throw error;
    }
  }

  const refresh = createShared(listNow);

  async function follow(signal: AbortSignal, onReconnect: () => void): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await engine.events(
          ours,
          () => {
            failures = 0;
            background(refresh().then(onReconnect));
          },
          (event) => {
            if (!TELLING.has(event.action)) return;
            // Not a label: the engine puts what it has to say about an event beside them.
            if (event.action === 'die') ends.set(event.id, Number(event.labels['exitCode'] ?? -1));
            background(look(event.id, signal));
          },
          signal,
        );
      } catch (error) {
        connected = false;
        if (!signal.aborted && failures === 0) log.warn({ err: error }, 'Docker does not answer; trying again');
        failures += 1;
        bell.ring();
      }
      await sleep(Math.min(2000, 100 * 2 ** Math.min(failures, 5)), signal);
    }
  }

  async function relist(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(relistEveryMs, signal);
      if (!signal.aborted) background(refresh());
    }
  }

  function background(work: Promise<unknown>): void {
    work.catch((error: unknown) => log.debug({ err: error }, 'a look at the engine failed'));
  }

  return {
    containers: () => (listed ? [...seen.values()].map((it) => it.container) : null),
    get: (id) => seen.get(id)?.container ?? null,
    connected: () => connected,
    subscribe: bell.subscribe,
    refresh,
    look,
    async run(signal, onReconnect) {
      await Promise.all([follow(signal, onReconnect), relist(signal)]);
    },
  };
}
