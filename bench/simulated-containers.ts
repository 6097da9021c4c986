/** Containers that exist only as what a Docker engine says of them; their addresses are ones of loopback. */

import type { RawContainer, RawSummary } from '../agent/docker/inspect.ts';
import type { ContainerConfig } from '../agent/docker/options.ts';

export interface Simulated {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly createdAt: string;
  readonly address: string;
  name: string;
  state: 'created' | 'running' | 'exited';
  startedAt: string;
  finishedAt: string;
}

/** How Go writes "never". */
const NEVER = '0001-01-01T00:00:00Z';

/** The `number`-th container, counted from 1. */
export function simulated(number: number, name: string, config: ContainerConfig): Simulated {
  return {
    id: number.toString(16).padStart(64, '0'),
    config,
    createdAt: new Date().toISOString(),
    address: `127.64.${number >> 8}.${number & 255}`,
    name,
    state: 'created',
    startedAt: NEVER,
    finishedAt: NEVER,
  };
}

/** GET /containers/{id}/json */
export function inspectAnswer(it: Simulated): RawContainer {
  return {
    Id: it.id,
    Name: `/${it.name}`,
    Created: it.createdAt,
    Image: it.config.Image,
    RestartCount: 0,
    State: {
      Status: it.state,
      ExitCode: 0,
      OOMKilled: false,
      StartedAt: it.startedAt,
      FinishedAt: it.finishedAt,
    },
    Config: { Labels: it.config.Labels },
    HostConfig: { NetworkMode: it.config.HostConfig.NetworkMode },
    NetworkSettings: { Networks: networks(it) },
  };
}

/** One of GET /containers/json */
export function summaryAnswer(it: Simulated): RawSummary {
  return { Id: it.id, Names: [`/${it.name}`], State: it.state, NetworkSettings: { Networks: networks(it) } };
}

/** `wanted` is the `label` filter of the API: `name=value`. */
export function hasLabels(it: Simulated, wanted: readonly string[]): boolean {
  const labels = new Set(Object.entries(it.config.Labels).map(([name, value]) => `${name}=${value}`));
  return wanted.every((label) => labels.has(label));
}

function networks(it: Simulated): Record<string, { IPAddress: string }> {
  return { [it.config.HostConfig.NetworkMode]: { IPAddress: it.state === 'running' ? it.address : '' } };
}
