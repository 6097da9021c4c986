/**
 * Endpoints on their way out. One that is being drained gets no traffic even if a table that was made before still
 * names it; once it is drained it may come back, after a table that does not name it. Only memory: no I/O.
 */
import type { GatewayTable } from './layout.ts';

export interface Leavers {
  /** A table arrived that may name leavers. */
  named(table: GatewayTable): void;
  begin(id: string): void;
  end(id: string): void;
  /** The table without them. */
  without(table: GatewayTable): GatewayTable;
}

/** Nobody leaves yet. */
export function createLeavers(): Leavers {
  /** id → drains under way. */
  const leaving = new Map<string, number>();
  let ids = new Set<string>();
  const forget = () => {
    for (const [id, drains] of leaving) if (drains === 0 && !ids.has(id)) leaving.delete(id);
  };
  return {
    named(table) {
      ids = new Set(table.backends.flatMap((it) => it.endpoints.map((endpoint) => endpoint.id)));
      forget();
    },
    begin(id) {
      leaving.set(id, (leaving.get(id) ?? 0) + 1);
    },
    end(id) {
      leaving.set(id, (leaving.get(id) ?? 1) - 1);
      forget();
    },
    without(table) {
      const backends = table.backends.map((it) => ({
        key: it.key,
        endpoints: it.endpoints.filter((endpoint) => !leaving.has(endpoint.id)),
      }));
      return { http: table.http, tcp: table.tcp, backends };
    },
  };
}
