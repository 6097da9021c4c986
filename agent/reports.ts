/** Instance reports: what gateways, names and executors are told of each container. Pure. */
import type { InstanceReport, InstanceState } from '../schemas/observed.ts';
import type { SlotRow } from '../schemas/release.ts';
import type { Container, ContainerState } from './docker/port.ts';
import { instanceKey } from './identity.ts';
import type { Health } from './readiness.ts';
import type { Seen } from './world.ts';

export interface ReportInput {
  readonly machine: string;
  /** Instances only, no jobs. */
  readonly containers: readonly Seen[];
  /** Rows that records name, by `<namespace>/<instance key>`. */
  readonly rows: ReadonlyMap<string, SlotRow>;
  readonly viaSwap: ReadonlySet<string>;
  readonly draining: ReadonlySet<string>;
  readonly health: (container: Seen) => Health | null;
}

/** One report a container, in order of container id. */
export function instanceReports(input: ReportInput): InstanceReport[] {
  return input.containers
    .map((container): InstanceReport => {
      const { namespace, service, slot, template, deploy, spec } = container.identity;
      const key = `${namespace}/${instanceKey(container.identity)}`;
      const health = input.health(container);
      return {
        machine: input.machine,
        namespace,
        service,
        slot,
        // A spec can change in place: the row knows, the label is as old as the container.
        spec: input.rows.get(key)?.spec ?? spec,
        template,
        deploy,
        containerId: container.id,
        address: addressOf(container),
        state: input.draining.has(container.id) ? 'draining' : stateOf(container.state, health),
        viaSwap: input.viaSwap.has(key),
        restarts: container.restartCount,
        exitCode: container.exitCode,
        lastProbe: health?.lastProbe ?? null,
        ...sinceOf(container, health),
      };
    })
    .toSorted((a, b) => (a.containerId < b.containerId ? -1 : 1));
}

/** A probe says when a running instance became what it is; the engine when one ended. */
function sinceOf(container: Container, health: Health | null): Pick<InstanceReport, 'since'> {
  const running = container.state === 'running' ? (health?.since ?? container.startedAt) : null;
  const ms = running ?? container.finishedAt ?? container.createdAt;
  return { since: new Date(ms).toISOString() };
}

/** Where an instance listens: its address on the bridge, loopback for host network, null for none. */
export function addressOf(container: Container): string | null {
  if (container.hostNetwork) return '127.0.0.1';
  return Object.values(container.addresses)[0] ?? null;
}

const PHASE_STATE = {
  // It served before this agent started and nothing says that it does not.
  undecided: 'ready',
  starting: 'starting',
  ready: 'ready',
  unready: 'unready',
} as const satisfies Record<Health['phase'], InstanceState>;

function stateOf(state: ContainerState, health: Health | null): InstanceState {
  switch (state) {
    case 'running':
      return health === null ? 'starting' : PHASE_STATE[health.phase];
    case 'created':
      return 'starting';
    case 'paused':
      return 'paused';
    case 'restarting':
    case 'removing':
    case 'exited':
    case 'dead':
      return 'exited';
  }
}
