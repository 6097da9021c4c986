/**
 * Memory of controller and agent, by number of services: with real containers as far as one machine has addresses, and
 * with simulated ones beyond that. Controller, agent, NATS, HAProxy and resolver are the real processes in both.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureWebImage } from '../test/lab/images.ts';
import type { BenchContext } from './benchmark.ts';
import { type FleetLab, startFleetLab } from './fleet-lab.ts';
import { type MemoryUse, watchMemory } from './process-usage.ts';
import { manifest, type ServiceOptions } from './services.ts';
import { startSimulatedEngine } from './simulated-engine.ts';
import { table } from './table.ts';

/** What is committed, one after another; a new version changes all services. */
interface Stage {
  readonly count: number;
  readonly version: string;
}

interface Row {
  readonly containers: 'real' | 'simulated';
  readonly what: string;
  readonly controller: MemoryUse;
  readonly agent: MemoryUse;
}

interface Watching {
  readonly restMs: number;
  readonly watchMs: number;
}

const NAMESPACE = 'bench';
const SETTLED_WITHIN_MS = 1_800_000;

/** A machine has 253 addresses for containers, and a change of all services needs two for each while it lasts. */
const REAL: readonly Stage[] = [
  { count: 100, version: '1' },
  { count: 100, version: '2' },
  { count: 200, version: '2' },
];
const SIMULATED: readonly Stage[] = [
  { count: 200, version: '1' },
  { count: 1_000, version: '1' },
  { count: 1_000, version: '2' },
];
const WATCHING: Watching = { restMs: 30_000, watchMs: 30_000 };

const QUICK = {
  real: [{ count: 1, version: '1' }] as const,
  simulated: [
    { count: 2, version: '1' },
    { count: 2, version: '2' },
  ] as const,
  watching: { restMs: 1_000, watchMs: 2_000 } as const,
};

export async function memory(context: BenchContext): Promise<string> {
  await ensureWebImage();
  const rows = [...(await withRealContainers(context)), ...(await withSimulatedContainers(context))];
  const head = ['services', 'containers', 'controller', 'its peak', 'its CPU', 'agent', 'its peak', 'its CPU'];
  return table(
    head,
    rows.map((it) => [it.what, it.containers, ...cells(it.controller), ...cells(it.agent)]),
  );
}

function cells({ rssKib, peakKib, cpuShare }: MemoryUse): string[] {
  const mebibytes = (kib: number) => `${Math.round(kib / 1_024)} MiB`;
  return [`**${mebibytes(rssKib)}**`, mebibytes(peakKib), `${(cpuShare * 100).toFixed(1)} %`];
}

async function withRealContainers(context: BenchContext): Promise<Row[]> {
  const lab = await startFleetLab();
  try {
    const use = await watch(lab, context);
    const none: Row = { containers: 'real', what: '0', ...use };
    return [none, ...(await rowsOf(lab, 'real', context.quick ? QUICK.real : REAL, context))];
  } finally {
    await lab.close();
  }
}

async function withSimulatedContainers(context: BenchContext): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-engine-'));
  const socketPath = join(folder, 'engine.sock');
  const engine = await startSimulatedEngine(socketPath);
  try {
    const lab = await startFleetLab({ DOCKER_HOST: `unix://${socketPath}` });
    try {
      const options = { port: engine.servicePort };
      return await rowsOf(lab, 'simulated', context.quick ? QUICK.simulated : SIMULATED, context, options);
    } finally {
      await lab.close();
    }
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function rowsOf(
  lab: FleetLab,
  containers: Row['containers'],
  stages: readonly Stage[],
  context: BenchContext,
  options: ServiceOptions = {},
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [index, { count, version }] of stages.entries()) {
    const changed = stages[index - 1]?.version !== version && index > 0;
    const what = `${count.toLocaleString('en')}${changed ? ', after a change of all' : ''}`;
    const begunAt = performance.now();
    await lab.commit({ [`namespaces/${NAMESPACE}.json`]: manifest(NAMESPACE, count, version, options) });
    await lab.settled(SETTLED_WITHIN_MS);
    const seconds = ((performance.now() - begunAt) / 1_000).toFixed(1);
    context.say(`${what} services, ${containers} containers: deployed in ${seconds} s`);
    rows.push({ containers, what, ...(await watch(lab, context)) });
  }
  return rows;
}

async function watch(lab: FleetLab, context: BenchContext): Promise<Pick<Row, 'controller' | 'agent'>> {
  const { restMs, watchMs } = context.quick ? QUICK.watching : WATCHING;
  await sleep(restMs, undefined, { signal: context.signal });
  const [controller, agent] = await Promise.all([
    watchMemory(lab.controllerPid, watchMs, context.signal),
    watchMemory(await lab.host.agentPid(), watchMs, context.signal),
  ]);
  return { controller, agent };
}
