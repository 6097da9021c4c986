/** The router: gateway, names and packet filter follow the routing table; passes are shared, failures tried again. */
import { isSlipwayError, type SlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import type { RoutingTable } from '../schemas/routing.ts';
import type { TracePoint } from '../store/trace.ts';
import { createShared } from './locks.ts';
import type { Gateway, Names, Network } from './ports.ts';
import { sleep } from './waiting.ts';

/** A table, and the highest log entry of each namespace that it follows. */
export interface Routed {
  readonly table: RoutingTable;
  readonly applied: Readonly<Record<string, number>>;
}

export interface Router {
  /**
   * Gateway, names and filter follow everything that was known when this was called. Waits while too little is known
   * to route by. @throws GATEWAY_FAILED, NETWORK_FAILED: what could be switched is, and it is tried again.
   * PORT_CONFLICT, when a port that `namespace` wants belongs to another program; all others are switched.
   */
  sync(signal: AbortSignal, namespace?: string): Promise<void>;
  /** Something changed: follow it soon. */
  nudge(): void;
  applied(): Readonly<Record<string, number>>;
}

export interface RouterDeps {
  /** null: too little is known yet; what serves stays as it is. */
  readonly compute: () => Routed | null;
  readonly gateway: Pick<Gateway, 'apply'>;
  readonly names: Pick<Names, 'apply'>;
  readonly network: Pick<Network, 'isolate'>;
  readonly log: Logger;
  readonly trace: TracePoint;
  readonly lifetime: AbortSignal;
}

const UNKNOWN_RETRY_MS = 50;
const FAILURE_RETRY_MS = 1000;

export function createRouter({ compute, gateway, names, network, log, trace, lifetime }: RouterDeps): Router {
  let applied: Readonly<Record<string, number>> = {};
  let nudged = false;
  const parts = [
    // Members first: what the gateway is about to route to must be let through, and names must not lead into a wall.
    part(
      'filter',
      (it) => it.members,
      (it) => network.isolate(it.members),
    ),
    part(
      'gateway',
      (it) => [it.http, it.tcp, it.backends],
      (it) => gateway.apply(it),
    ),
    part(
      'names',
      (it) => [it.names, it.members],
      (it) => names.apply(it),
    ),
  ];

  function part(name: string, pick: (table: RoutingTable) => unknown, apply: (table: RoutingTable) => Promise<void>) {
    let last: string | null = null;
    return async (table: RoutingTable): Promise<void> => {
      const text = JSON.stringify(pick(table));
      if (text === last) return;
      last = null;
      trace(`route.${name}`);
      await apply(table);
      trace(`route.${name}.done`);
      last = text;
    };
  }

  let heldPorts: SlipwayError | null = null;

  const pass = createShared(async () => {
    const routed = compute();
    if (routed === null) throw new NotKnownYet();
    const results: PromiseSettledResult<void>[] = [];
    for (const apply of parts) results.push(...(await Promise.allSettled([apply(routed.table)])));
    const reasons = results.flatMap((it) => (it.status === 'rejected' ? [it.reason as unknown] : []));
    const held = reasons.find((it) => isSlipwayError(it, 'PORT_CONFLICT'));
    if (held !== undefined && heldPorts === null)
      log.warn({ err: held }, 'a port of the gateway belongs to another program');
    heldPorts = held ?? null;
    const failed = reasons.find((it) => it !== held);
    if (failed !== undefined) throw failed instanceof Error ? failed : new Error('routing failed', { cause: failed });
    applied = routed.applied;
  });

  async function follow(): Promise<void> {
    let reported = '';
    while (!lifetime.aborted) {
      try {
        await pass();
        return;
      } catch (error) {
        const waiting = error instanceof NotKnownYet;
        const text = String(error);
        if (!waiting && text !== reported) log.warn({ err: error }, 'routing could not be switched; trying again');
        reported = text;
        await sleep(waiting ? UNKNOWN_RETRY_MS : FAILURE_RETRY_MS, lifetime);
      }
    }
  }

  return {
    async sync(signal, namespace) {
      for (;;) {
        signal.throwIfAborted();
        try {
          await pass();
          if (heldPorts !== null && namespace !== undefined && concerns(heldPorts, namespace)) throw heldPorts;
          return;
        } catch (error) {
          if (!(error instanceof NotKnownYet)) throw error;
          await sleep(UNKNOWN_RETRY_MS, signal);
        }
      }
    },
    nudge() {
      if (nudged) return;
      nudged = true;
      queueMicrotask(() => {
        nudged = false;
        void follow();
      });
    },
    applied: () => applied,
  };
}

/** The gateway lists whose ports it could not take. */
function concerns(error: SlipwayError, namespace: string): boolean {
  const conflicts = error.details['conflicts'];
  return Array.isArray(conflicts) && conflicts.some((it: { namespace?: unknown }) => it.namespace === namespace);
}

class NotKnownYet extends Error {}
