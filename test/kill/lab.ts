/**
 * The kill lab: one installation whose executor, agent and gateway are killed where they are told to be, with a user
 * of the gateway watching all the time.
 */
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { createSecrets } from '../../controller/secrets.ts';
import { clusterKey } from '../../trust/secret-keys.ts';
import { type Host, startHost } from '../lab/host.ts';
import { ensureWebImage, WEB_IMAGE } from '../lab/images.ts';
import { readInventory } from '../lab/inventory.ts';
import { ask, type Prober, startProber } from '../lab/probe.ts';
import { gatewayPids, isStopped, stoppedOrEnded, superviseAgent } from '../lab/processes.ts';
import { openStore } from '../lab/store.ts';
import { type KillPoint, killPoints } from './points.ts';

type Victim = 'executor' | 'agent' | 'gateway';

export interface KillOrder extends KillPoint {
  readonly victim: Victim;
}

export interface Target {
  /** Name of the manifest file, and what its instances answer. */
  readonly name: string;
  /** `nonce` goes into what is deployed, so that no two deploys are the same. */
  readonly manifest: (nonce: string) => object;
  /** `slot version` of every instance that runs when it is live. */
  readonly instances: readonly string[];
  /** Stop-first: the printed worst outage of a deploy to it holds; else no probe may fail. */
  readonly mayPause: boolean;
}

export interface KillLab {
  readonly host: Host;
  /** Carries the target out; nobody watches. */
  deploy(target: Target): Promise<void>;
  /** Carries the target out without killing anybody; gives the kill points that its traces show. */
  record(target: Target): Promise<KillOrder[]>;
  /** Carries the target out, kills where the order says, recovers. false: the process never came to that point. */
  killAt(target: Target, order: KillOrder): Promise<boolean>;
  /**
   * Stops the executor on its way to the target at a point of its trace, lets another recover and carry `next` out,
   * lets the first one go on, and gives what that one says. Without `renewed`, `next` is what is live already.
   */
  pause(args: {
    readonly target: Target;
    readonly at: string;
    readonly next: Target;
    readonly renewed: boolean;
  }): Promise<string>;
  /** What is there is exactly what the target says, and nothing else. */
  expectConverged(target: Target): Promise<void>;
  close(): Promise<void>;
}

const CONVERGE_MS = 20_000;
/** A secret of the namespace that has another value for each deploy. */
export const SECRET = 'word';

/** A manifest of services on the test image; the first one answers on the gateway. */
export function webManifest(services: readonly object[], volumes: readonly object[] = []): object {
  return { namespace: 'production', services, volumes };
}

/** One service on the test image, routed unless told otherwise. */
export function webService(
  name: string,
  version: string,
  nonce: string,
  overrides: Record<string, unknown> = {},
  routed = true,
): object {
  const { template, ...rest } = overrides;
  return {
    name,
    placement: { replicated: { count: 1 } },
    template: {
      image: WEB_IMAGE,
      env: { VERSION: version, NONCE: nonce },
      stop_grace_period: '1s',
      ...(template as object | undefined),
    },
    service_ports: [{ name: 'http', container_port: 8080 }],
    ...(routed ? { routes: [{ http: { service_port: 'http', hostnames: ['localhost'], path_prefix: '/' } }] } : {}),
    readiness: { http: { service_port: 'http', path: '/healthz' } },
    deadline: '15s',
    ...rest,
  };
}

export async function createKillLab(): Promise<KillLab> {
  await ensureWebImage();
  const host = await startHost();
  const traces = { executor: join(host.dir, 'executor.trace'), agent: join(host.dir, 'agent.trace') };
  const orders = join(host.dir, 'agent.kill');
  const agent = await superviseAgent(host, { SLIPWAY_TRACE: traces.agent, SLIPWAY_KILL_FILE: orders });
  const store = await openStore(host);
  const worst = new Map<string, number>();
  const secrets = createSecrets({
    bucket: store.bucket('secrets'),
    installation: host.installation.id,
    clusterKey: () => clusterKey(join(host.stateDir, 'keys')),
    machineKeys: async () => ({}),
  });
  let nonce = 0;
  let prober: Prober | null = null;

  /** Writes what is deployed next. */
  async function renew(target: Target): Promise<void> {
    nonce += 1;
    const value = Buffer.from(String(nonce));
    const at = new Date().toISOString();
    await secrets.set({ namespace: 'production', name: SECRET, value, by: 'test', at });
    await host.manifest(target.name, target.manifest(String(nonce)));
  }

  const pathOf = (target: Target) => join(host.dir, 'manifests', `${target.name}.json`);

  async function deploy(target: Target, env: Record<string, string> = {}) {
    return await host.slipway(['deploy', '-f', pathOf(target)], env);
  }

  async function carriedOut(target: Target): Promise<void> {
    const ran = await deploy(target);
    if (ran.code !== 0) throw new Error(`deploy of ${target.name}: exit ${ran.code}\n${ran.stdout}\n${ran.stderr}`);
  }

  /** The worst outage that the plan prints; the same for every deploy of the target. */
  async function worstMs(target: Target): Promise<number> {
    worst.set(target.name, worst.get(target.name) ?? (await printedWorstMs(target)));
    return worst.get(target.name) ?? 0;
  }

  async function printedWorstMs(target: Target): Promise<number> {
    const ran = await host.slipway(['deploy', '-n', '--json', '-f', pathOf(target)]);
    const plan = JSON.parse(ran.stdout) as { data: { downtime: { services: { worstMs: number }[] } } };
    return Math.max(0, ...plan.data.downtime.services.map((it) => it.worstMs));
  }

  /** Runs `work` with a user watching; what they saw must fit the target's class. */
  async function watched(target: Target, allowed: number | null, work: () => Promise<void>): Promise<void> {
    prober = startProber({ port: host.httpPort });
    await sleep(50);
    try {
      await work();
    } finally {
      await prober.stop();
    }
    const bad = prober.answers.filter((it) => it.body === null);
    if (allowed === null) {
      const began = prober.answers[0]?.atMs ?? 0;
      const failures = bad.map((it) => `${it.why} at ${Math.round(it.atMs - began)} ms`);
      expect(failures, `failed probes of ${prober.answers.length} on the way to ${target.name}`).toEqual([]);
    } else {
      expect(prober.longestGapMs(), `outage on the way to ${target.name}`).toBeLessThanOrEqual(allowed);
    }
  }

  const openDeploys = async () => (await store.bucket('deploys').list(['open'])).map((it) => it.key);

  async function expectConverged(target: Target): Promise<void> {
    const wanted = target.instances.map((it) => `${it} running`).toSorted();
    const until = Date.now() + CONVERGE_MS;
    for (;;) {
      const there = await readInventory(host);
      const good =
        sameList(there.containers, wanted) &&
        sameList(there.members, there.addresses) &&
        there.links === there.addresses.length &&
        there.servers.every((it) => there.addresses.includes(it)) &&
        (wanted.length === 0 || there.servers.length > 0);
      if (good) break;
      if (Date.now() > until) {
        expect(there.containers, `containers when ${target.name} should be live`).toEqual(wanted);
        expect(there.members, 'addresses in the packet filter').toEqual(there.addresses);
        expect(there.links, 'interfaces on the bridge').toBe(there.addresses.length);
        throw new Error(`HAProxy sends to ${there.servers.join(' ')}, containers have ${there.addresses.join(' ')}`);
      }
      await sleep(100);
    }
    expect(await openDeploys(), 'open deploys').toEqual([]);
    const violations = join(host.stateDir, 'volumes/production/data/violations');
    expect(await readFile(violations, 'utf8').catch(() => ''), 'two writers of a volume at once').toBe('');
  }

  return {
    host,
    expectConverged,
    async deploy(target) {
      await renew(target);
      await carriedOut(target);
      await expectConverged(target);
    },
    async record(target) {
      await renew(target);
      await rm(traces.executor, { force: true });
      await rm(traces.agent, { force: true });
      await watched(target, target.mayPause ? await worstMs(target) : null, async () => {
        const ran = await deploy(target, { SLIPWAY_TRACE: traces.executor });
        if (ran.code !== 0) throw new Error(`deploy of ${target.name}: exit ${ran.code}\n${ran.stdout}\n${ran.stderr}`);
      });
      await expectConverged(target);
      const read = async (path: string) => killPoints(await readFile(path, 'utf8').catch(() => ''));
      const executor = await read(traces.executor);
      const own = await read(traces.agent);
      return [
        ...executor.map((it) => ({ ...it, victim: 'executor' as const })),
        ...own.map((it) => ({ ...it, victim: 'agent' as const })),
        ...own.filter((it) => it.point.includes('gateway')).map((it) => ({ ...it, victim: 'gateway' as const })),
      ];
    },
    async killAt(target, order) {
      try {
        return await killOnce(target, order);
      } catch (error) {
        const { stdout } = await host.slipway(['deploys', 'production', '--limit', '3']);
        const log = await readFile(join(host.dir, 'agent.log'), 'utf8').catch(() => '');
        const text = `${order.victim} killed at ${order.order} on the way to ${target.name}`;
        throw new Error(`${text}\n${stdout}\n${log.split('\n').slice(-25).join('\n')}`, { cause: error });
      }
    },
    async pause({ target, at, next, renewed }) {
      await renew(target);
      if (renewed) await renew(next);
      const outage = target.mayPause ? 3 * Math.max(await worstMs(target), 10_000) : null;
      let late = '';
      await watched(target, outage, async () => {
        const paused = host.start(['deploy', '-f', pathOf(target)], { SLIPWAY_KILL_AT: `!${at}#1` });
        await stoppedOrEnded(paused.child);
        expect(paused.child.exitCode, `the executor stopped at ${at}`).toBe(null);
        await carriedOut(next);
        // Who changes nothing waits for nobody: again, until the lease of the one that stands still has expired.
        while ((await openDeploys()).length > 0) {
          await sleep(1000);
          await carriedOut(next);
        }
        paused.child.kill('SIGCONT');
        const ran = await paused.ended;
        late = `exit ${ran.code}: ${ran.stdout}${ran.stderr}`;
        expect(ran.code, late).not.toBe(0);
      });
      await expectConverged(next);
      return late;
    },
    async close() {
      await store.close();
      await agent.stop();
      await host.destroy();
    },
  };

  async function killOnce(target: Target, order: KillOrder): Promise<boolean> {
    await renew(target);
    const printed = target.mayPause ? await worstMs(target) : null;
    let reached = false;
    // Without its gateway nobody is reachable: that gap is the gateway's restart, bounded but not zero.
    const allowed = order.victim === 'gateway' ? (printed ?? 0) + 5_000 : printed;
    await watched(target, allowed, async () => {
      const kill = { executor: killExecutor, agent: killAgent, gateway: killGateway } satisfies Record<Victim, unknown>;
      reached = await kill[order.victim](order, target);
    });
    await expectConverged(target);
    return reached;
  }

  async function killExecutor(order: KillOrder, target: Target): Promise<boolean> {
    const ran = await deploy(target, { SLIPWAY_KILL_AT: order.order });
    if (ran.signal !== 'SIGKILL' && ran.code !== 0)
      throw new Error(`exit ${ran.code} before the kill: ${ran.stdout}${ran.stderr}`);
    if (ran.signal === 'SIGKILL') await carriedOut(target);
    return ran.signal === 'SIGKILL';
  }

  async function killAgent(order: KillOrder, target: Target): Promise<boolean> {
    const deaths = agent.deaths();
    await writeFile(orders, order.order);
    const ran = await deploy(target);
    // The last points come after the executor has its answer.
    for (let i = 0; i < 10 && existsSync(orders); i++) await sleep(50);
    const reached = !existsSync(orders);
    await rm(orders, { force: true });
    if (reached) for (let i = 0; i < 100 && agent.deaths() === deaths; i++) await sleep(20);
    if (ran.code !== 0) await carriedOut(target);
    return reached;
  }

  /** HAProxy dies while the agent is stopped in the middle of changing it. */
  async function killGateway(order: KillOrder, target: Target): Promise<boolean> {
    await writeFile(orders, `!${order.order}`);
    const running = host.start(['deploy', '-f', pathOf(target)]);
    let ended = false;
    void running.ended.then(() => (ended = true));
    while (!ended && !(await isStopped(agent.pid()))) await sleep(5);
    const reached = await isStopped(agent.pid());
    if (reached) {
      const pids = await gatewayPids(host);
      expect(pids.length, 'HAProxy processes to kill').toBeGreaterThan(0);
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      process.kill(agent.pid(), 'SIGCONT');
    }
    await rm(orders, { force: true });
    const ran = await running.ended;
    for (let i = 0; i < 250 && (await ask(host.httpPort)).why.includes('ECONNREFUSED'); i++) await sleep(20);
    if (ran.code !== 0) await carriedOut(target);
    return reached;
  }
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((it, index) => it === b[index]);
}
