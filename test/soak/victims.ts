/** The processes that the soak test kills, how each is found, and how each comes back. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../../schemas/logger.ts';
import { createEmbeddedNats } from '../../store/embedded.ts';
import { alive, DIST, freePort, type Host } from '../lab/host.ts';
import type { PrivateEngine } from '../lab/private-engine.ts';
import { pidsOf } from '../lab/processes.ts';
import { startSupervised } from '../lab/supervised.ts';

export const VICTIMS = ['controller', 'agent', 'nats-server', 'haproxy', 'dockerd'] as const;
export type Victim = (typeof VICTIMS)[number];

export interface Victims {
  /** SIGKILL; false: it did not run just then. */
  kill(victim: Victim): Promise<boolean>;
  /** Ends controller, agent and the supervision of nats-server; what else runs goes on. */
  stop(): Promise<void>;
}

/** Puts controller and agent under supervision; the engine is already, nats-server has its own, the agent has HAProxy. */
export async function superviseAll(args: {
  readonly host: Host;
  readonly engine: PrivateEngine;
  readonly restartAfterMs: () => number;
}): Promise<Victims> {
  const { host, engine, restartAfterMs } = args;
  const first = await host.agentPid();
  process.kill(first, 'SIGTERM');
  while (alive(first)) await sleep(20);

  const supervised = (name: string, script: string, argv: readonly string[]) =>
    startSupervised({
      argv: [process.execPath, join(DIST, script), ...argv],
      env: { ...process.env, SLIPWAY_STATE_DIR: host.stateDir, NO_COLOR: '1' },
      logFile: join(host.dir, `${name}.log`),
      restartAfterMs,
    });
  const agent = supervised('agent', 'agent/main.js', ['--state-dir', host.stateDir]);
  const hookPort = String(await freePort());
  const controller = supervised('controller', 'cli/main.js', ['controller', '--hook-port', hookPort]);
  const over = new AbortController();
  await createEmbeddedNats({ dir: join(host.stateDir, 'nats'), log: silentLogger }).start(over.signal);

  async function killFound(program: string, folder: string): Promise<boolean> {
    const pids = await pidsOf(program, join(host.stateDir, folder));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return pids.length > 0;
  }
  const kills = {
    controller: async () => controller.kill(),
    agent: async () => agent.kill(),
    'nats-server': async () => await killFound('nats-server', 'nats'),
    haproxy: async () => await killFound('haproxy', 'gateway'),
    dockerd: async () => engine.process.kill(),
  } satisfies Record<Victim, () => Promise<boolean>>;

  return {
    kill: async (victim) => await kills[victim](),
    async stop() {
      await controller.stop();
      await agent.stop();
      over.abort();
    },
  };
}
