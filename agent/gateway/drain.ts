/**
 * Ends an endpoint: no new request, then no session, then no server. Sessions count wherever they are, also in workers
 * that a reload replaced: those begin no new ones (render.ts hands over), so their counts only fall.
 */
import type { GatewayClock } from './clock.ts';
import type { Runtime } from './runtime.ts';

export interface DrainDeps {
  readonly runtime: Runtime;
  readonly clock: GatewayClock;
  /** Alone among everything that changes servers. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Whether HAProxy runs; without it there are no sessions. */
  readonly alive: () => Promise<boolean>;
}

/** One server of the endpoint, in one worker. */
interface Place {
  readonly worker: number;
  readonly section: string;
}

const FIRST_POLL_MS = 10;
const LAST_POLL_MS = 200;
/** How long cut sessions may take to be gone. */
const CUT_MS = 3_000;

/** Resolves when no session uses the endpoint and no server of it is left. @throws the signal's reason */
export async function drainEndpoint(
  deps: DrainDeps,
  id: string,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<{ readonly cut: number }> {
  const { clock } = deps;
  const until = clock.now() + deadlineMs;
  let cut = 0;
  let cutUntil: number | null = null;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, LAST_POLL_MS)) {
    signal.throwIfAborted();
    if (!(await deps.alive())) return { cut };
    const busy = await deps.turn(() => sweep(deps, id));
    if (busy !== null && busy.length === 0) return { cut };
    if (cutUntil !== null && clock.now() >= cutUntil) return { cut };
    if (busy !== null && clock.now() >= until) {
      for (const place of busy) cut += await cutSessions(deps.runtime, place, id);
      cutUntil ??= clock.now() + CUT_MS;
    }
    if (busy === null && clock.now() >= until + CUT_MS) return { cut };
    await clock.sleep(cutUntil === null ? Math.max(1, Math.min(pollMs, until - clock.now())) : FIRST_POLL_MS, signal);
  }
}

/**
 * Takes traffic from the endpoint's servers and deletes those that nobody uses. Gives the places that are left; null:
 * HAProxy could not be asked just now.
 */
async function sweep({ runtime }: DrainDeps, id: string): Promise<Place[] | null> {
  const processes = await runtime.processes();
  if (processes === null) return null;
  const left: Place[] = [];
  for (const worker of [...processes.workers, ...processes.oldWorkers]) {
    const info = await runtime.info(worker);
    if (info === null) continue;
    for (const server of (await runtime.servers(worker)).filter((it) => it.id === id)) {
      const place = { worker, section: server.section };
      const name = `${server.section}/${id}`;
      if (server.admin === 'ready' && !info.stopping) await runtime.run(worker, [`set server ${name} state drain`]);
      const sessions = (await runtime.sessionCounts(worker, server.section)).get(id) ?? 0;
      if (sessions > 0) left.push(place);
      // A worker that stops refuses changes, and forgets the server when it ends.
      else if (!info.stopping && !(await removeServer(runtime, place, id))) left.push(place);
    }
  }
  return left;
}

/** Deletes a server without sessions. false: something still uses it (a connection that just ends). */
export async function removeServer(runtime: Runtime, { worker, section }: Place, id: string): Promise<boolean> {
  await runtime.run(worker, [`set server ${section}/${id} state maint`, `del server ${section}/${id}`]);
  return !(await runtime.servers(worker)).some((it) => it.section === section && it.id === id);
}

/** A worker that stops does not know `shutdown sessions server` any more, but ends sessions one by one. */
async function cutSessions(runtime: Runtime, { worker, section }: Place, id: string): Promise<number> {
  const sessions = await runtime.sessions(worker, section, id);
  await runtime.run(
    worker,
    sessions.map((it) => `shutdown session ${it}`),
  );
  return sessions.length;
}
