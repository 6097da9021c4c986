/** The prober: probes every running instance whose spec is known, for as long as it runs, and remembers its health. */
import type { Readiness } from '../schemas/service.ts';
import type { RunProbe } from './probe.ts';
import { afterProbe, firstHealth, type Health, nextProbeInMs, SETTLE_MS, settled } from './readiness.ts';
import { createBell, type Subscribe, sleep } from './waiting.ts';
import type { Seen } from './world.ts';

/** An instance to look after. `readiness` null: it has no probe. */
export interface Probed {
  readonly container: Seen;
  readonly address: string | null;
  readonly readiness: Readiness | null;
}

export interface Prober {
  /** These are the running instances; others are forgotten. Cheap to call again. */
  watch(targets: readonly Probed[]): void;
  /** null: it does not run, or nobody asked to watch it. */
  health(container: { readonly id: string; readonly startedAt: number | null }): Health | null;
  readonly subscribe: Subscribe;
  /** No more probes. */
  stop(): void;
}

export interface ProberDeps {
  readonly probe: RunProbe;
  readonly now: () => number;
  /** When this agent started: what ran before is adopted. */
  readonly bornAt: number;
}

interface Watched {
  readonly key: string;
  readonly controller: AbortController;
  health: Health;
}

/** One loop an instance; a container that was started anew begins again. */
export function createProber({ probe, now, bornAt }: ProberDeps): Prober {
  const watched = new Map<string, Watched>();
  const bell = createBell();

  function set(it: Watched, health: Health): void {
    const changed = it.health.phase !== health.phase || it.health.lastProbe !== health.lastProbe;
    it.health = health;
    if (changed) bell.ring();
  }

  async function loop(it: Watched, target: Probed): Promise<void> {
    const { signal } = it.controller;
    const startedAt = target.container.startedAt ?? now();
    if (target.readiness === null) {
      await sleep(Math.max(0, startedAt + SETTLE_MS - now()), signal);
      while (!signal.aborted && settled(it.health, startedAt, now()) === it.health) await sleep(20, signal);
      if (!signal.aborted) set(it, settled(it.health, startedAt, now()));
      return;
    }
    const { readiness } = target;
    const place = { containerId: target.container.id, address: target.address };
    while (!signal.aborted) {
      const result = await probe(readiness.probe, place, readiness.timeoutMs, signal);
      if (signal.aborted) return;
      if (result !== null) set(it, afterProbe(it.health, result, readiness, now()));
      await sleep(nextProbeInMs(it.health, readiness), signal);
    }
  }

  function begin(target: Probed, key: string, before: Watched | undefined): void {
    const startedAt = target.container.startedAt ?? now();
    before?.controller.abort();
    // Another probe or address for the same run of the container: what is known of it stays known.
    const same = before !== undefined && runOf(before.key) === runOf(key);
    const health = same ? before.health : firstHealth(startedAt < bornAt, startedAt);
    const it = { key, controller: new AbortController(), health };
    watched.set(target.container.id, it);
    void loop(it, target);
  }

  return {
    watch(targets) {
      const ids = new Set(targets.map((it) => it.container.id));
      for (const [id, it] of watched) {
        if (ids.has(id)) continue;
        it.controller.abort();
        watched.delete(id);
      }
      for (const target of targets) {
        const key = keyOf(target);
        const before = watched.get(target.container.id);
        if (before?.key !== key) begin(target, key, before);
      }
    },
    health(container) {
      const it = watched.get(container.id);
      return it !== undefined && runOf(it.key) === String(container.startedAt) ? it.health : null;
    },
    subscribe: bell.subscribe,
    stop() {
      for (const it of watched.values()) it.controller.abort();
      watched.clear();
    },
  };
}

function keyOf({ container, address, readiness }: Probed): string {
  return `${container.startedAt} ${address} ${JSON.stringify(readiness)}`;
}

function runOf(key: string): string {
  return key.slice(0, key.indexOf(' '));
}
