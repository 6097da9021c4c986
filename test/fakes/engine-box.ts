/** A container of the fake engine, and what its process does. */
import type { ContainerConfig } from '../../agent/docker/options.ts';
import type { Container, ContainerState } from '../../agent/docker/port.ts';

/** What the process in a container of an image does. */
export interface Program {
  /** Ends by itself this long after each start. */
  readonly exitsAfterMs?: number;
  readonly exitCode?: number;
  /** The engine refuses to start it. */
  readonly refusesToStart?: string;
  /** The engine refuses to remove its containers. */
  readonly refusesToGo?: string;
  /** Exit code of a probe run in it; a function is asked each time. */
  readonly probe?: number | (() => number);
  readonly logs?: readonly string[];
}

export interface Box {
  id: string;
  name: string;
  config: ContainerConfig;
  state: ContainerState;
  exitCode: number | null;
  restartCount: number;
  startedAt: number | null;
  finishedAt: number | null;
  createdAt: number;
  address: string;
  timer: NodeJS.Timeout | undefined;
  /** The engine can never start it again: it lost what it needs, as one does that dies while it starts a container. */
  lost?: boolean;
}

/** A box as the engine shows it. */
export function inspected(box: Box): Container {
  const { NetworkMode } = box.config.HostConfig;
  const host = NetworkMode === 'host';
  const up = box.state === 'running' || box.state === 'paused';
  return {
    id: box.id,
    name: box.name,
    labels: box.config.Labels,
    state: box.state,
    imageId: box.config.Image,
    createdAt: box.createdAt,
    startedAt: box.startedAt,
    finishedAt: box.finishedAt,
    exitCode: box.state === 'exited' || box.state === 'restarting' ? box.exitCode : null,
    oomKilled: false,
    restartCount: box.restartCount,
    hostNetwork: host,
    addresses: host || !up || NetworkMode === 'none' ? {} : { slipway: box.address },
  };
}
