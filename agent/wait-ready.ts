/** Waiting for an instance to be ready, and saying with evidence why it is not going to be. */
import { SlipwayError } from '../schemas/errors.ts';
import type { SlotRow } from '../schemas/release.ts';
import type { ServiceSpec } from '../schemas/service.ts';
import type { Evidence } from '../schemas/step.ts';
import { byInstance, chosen } from './desired.ts';
import type { Engine } from './docker/port.ts';
import { mayRunAgain } from './heal.ts';
import { howItEnded } from './how-it-ended.ts';
import { instanceKey } from './identity.ts';
import type { Prober } from './prober.ts';
import type { Health } from './readiness.ts';
import { until } from './waiting.ts';
import type { Seen, World } from './world.ts';

/** Restarts by the engine before the first success, after which we stop hoping. */
const MAX_RESTARTS = 3;
/** How long the engine may take to restart what its policy says it should; longer, and it does not. */
const RESTART_GRACE_MS = 3000;
const EVIDENCE_LINES = 20;
const EVIDENCE_TIMEOUT_MS = 3000;
const LOOK_EVERY_MS = 250;

type Verdict =
  | { readonly kind: 'ready' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'exited'; readonly reason: string };

/** What an instance's state says about its becoming ready. Pure. */
function verdict(container: Seen | undefined, health: Health | null, spec: ServiceSpec, now: number): Verdict {
  if (container === undefined) return { kind: 'exited', reason: 'its container was removed' };
  if (container.state === 'running' && health?.phase === 'ready') return { kind: 'ready' };
  if (container.restartCount > MAX_RESTARTS)
    return {
      kind: 'exited',
      reason: `it ended ${container.restartCount} times, with exit code ${container.lastExitCode ?? 'unknown'}`,
    };
  if (container.state === 'dead') return { kind: 'exited', reason: 'its container is dead' };
  if (container.state !== 'exited') return { kind: 'wait' };
  const reason = howItEnded(container, spec.template);
  const mayReturn = mayRunAgain(spec, container) && now - (container.finishedAt ?? now) < RESTART_GRACE_MS;
  return mayReturn ? { kind: 'wait' } : { kind: 'exited', reason };
}

export interface WaitReady {
  /** @throws EXITED or NEVER_READY with `details.evidence`; the signal's reason when it aborts first. */
  wait(namespace: string, row: SlotRow, spec: ServiceSpec, deadlineAt: number, signal: AbortSignal): Promise<void>;
  isReady(namespace: string, row: SlotRow): boolean;
}

export interface WaitReadyDeps {
  readonly world: Pick<World, 'containers' | 'subscribe' | 'connected'>;
  readonly prober: Pick<Prober, 'health' | 'subscribe'>;
  readonly engine: Pick<Engine, 'logs'>;
  readonly now: () => number;
}

export function createWaitReady({ world, prober, engine, now }: WaitReadyDeps): WaitReady {
  const find = (namespace: string, row: SlotRow) =>
    chosen(byInstance(world.containers() ?? []).get(`${namespace}/${instanceKey(row)}`) ?? []);

  const subscribe = (listener: () => void) => {
    const ends = [world.subscribe(listener), prober.subscribe(listener)];
    return () => {
      for (const end of ends) end();
    };
  };

  return {
    isReady(namespace, row) {
      const container = find(namespace, row);
      return container?.state === 'running' && prober.health(container)?.phase === 'ready';
    },

    async wait(namespace, row, spec, deadlineAt, signal) {
      const begunAt = now();
      const found = await until(
        () => {
          const container = find(namespace, row);
          // While the engine is away nothing is known, and nothing is decided.
          const said = world.connected()
            ? verdict(container, container === undefined ? null : prober.health(container), spec, now())
            : WAIT;
          if (said.kind !== 'wait') return { ...said, container };
          return now() >= deadlineAt ? { kind: 'late' as const, container } : undefined;
        },
        subscribe,
        LOOK_EVERY_MS,
        signal,
      );
      if (found.kind === 'ready') return;
      const health = found.container === undefined ? null : prober.health(found.container);
      const late = `it was not ready within ${Math.round(Math.max(0, deadlineAt - begunAt) / 100) / 10} s`;
      const reason = found.kind === 'exited' ? found.reason : late;
      const lastProbe = health?.lastProbe ?? null;
      const evidence = await gatherEvidence(engine, { slot: row.slot, reason, container: found.container, lastProbe });
      const tail = lastProbe === null ? '' : ` (${lastProbe})`;
      throw new SlipwayError(found.kind === 'exited' ? 'EXITED' : 'NEVER_READY', `${row.slot}: ${reason}${tail}`, {
        evidence: [evidence],
      });
    },
  };
}

const WAIT: Verdict = { kind: 'wait' };

/** Exit code, last probe and last log lines; what cannot be read is left out. */
export async function gatherEvidence(
  engine: Pick<Engine, 'logs'>,
  of: { slot: string; reason: string; container: Seen | undefined; lastProbe: string | null },
): Promise<Evidence> {
  const logs: string[] = [];
  if (of.container !== undefined) {
    const signal = AbortSignal.timeout(EVIDENCE_TIMEOUT_MS);
    const range = { tail: EVIDENCE_LINES, follow: false };
    await engine.logs(of.container.id, range, (it) => logs.push(it.line), signal).catch(() => {});
  }
  return {
    slot: of.slot,
    reason: of.reason,
    exitCode: of.container?.lastExitCode ?? null,
    lastProbe: of.lastProbe,
    logs: logs.slice(-EVIDENCE_LINES),
  };
}
