/** A controller over a branch on which nothing happens: what it does meanwhile, and what that costs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PACES } from '../controller/source/pace.ts';
import { openTracked } from '../controller/tracked.ts';
import { statePaths } from '../schemas/installation.ts';
import { silentLogger } from '../schemas/logger.ts';
import { ensureWebImage } from '../test/lab/images.ts';
import type { BenchContext } from './benchmark.ts';
import { type FleetLab, startFleetLab } from './fleet-lab.ts';
import { cpuMs } from './process-usage.ts';
import { manifest } from './services.ts';
import { openStreamSequences } from './stream-sequences.ts';
import { table } from './table.ts';

const NAMESPACE = 'bench';
const SERVICES = 10;
const WATCHED_MS = 120_000;
const LOOKS = 2_000;

/** Written by timers that have nothing to do with the branch, with who writes there and how often. */
const TIMERS: Readonly<Record<string, string>> = {
  KV_leases: 'the controller renews its lease every 8 s',
  KV_observed: "the agent's report of the machine, every 30 s",
};

export async function unchangedPoll(context: BenchContext): Promise<string> {
  await ensureWebImage();
  const lab = await startFleetLab();
  try {
    await lab.commit({ [`namespaces/${NAMESPACE}.json`]: manifest(NAMESPACE, context.quick ? 1 : SERVICES, '1') });
    await lab.settled();
    context.say('deployed; now nothing happens');
    await sleep(context.quick ? 2_000 : 10_000, undefined, { signal: context.signal });
    return await watch(lab, context);
  } finally {
    await lab.close();
  }
}

async function watch(lab: FleetLab, context: BenchContext): Promise<string> {
  const look = await costOfALook(lab, context);
  const url = (await readFile(join(lab.host.stateDir, 'nats/url'), 'utf8')).trim();
  const sequences = await openStreamSequences(url);
  try {
    const before = {
      at: performance.now(),
      cpu: await cpuMs(lab.controllerPid),
      plans: await plansMade(lab),
      written: await sequences.read(),
    };
    await sleep(context.quick ? 5_000 : WATCHED_MS, undefined, { signal: context.signal });
    const after = {
      at: performance.now(),
      cpu: await cpuMs(lab.controllerPid),
      plans: await plansMade(lab),
      written: await sequences.read(),
    };
    const elapsedMs = after.at - before.at;
    const writes = [...after.written].map(([stream, last]) => ({
      stream,
      count: last - (before.written.get(stream) ?? 0),
    }));
    const timers = writes.filter((it) => it.stream in TIMERS);
    const others = writes.filter((it) => !(it.stream in TIMERS));
    const looks = Math.round(elapsedMs / (PACES.local.pollMs + look.wallMs));
    const cpu = after.cpu - before.cpu;
    return table(
      ['', `in ${(elapsedMs / 1_000).toFixed(0)} s`],
      [
        [`looks at the branch (one, then a pause of ${PACES.local.pollMs} ms)`, String(looks)],
        ['plans made', String(after.plans - before.plans)],
        [
          `writes to NATS, all of ${others.map((it) => it.stream).join(', ')}`,
          String(sum(others.map((it) => it.count))),
        ],
        ...timers.map(({ stream, count }) => [`writes to ${stream}: ${TIMERS[stream]}`, String(count)]),
        ['CPU time of the controller process, all its timers included', `${cpu} ms`],
        ['… for each look', `${(cpu / looks).toFixed(2)} ms`],
        ['… as a share of one core', `${((cpu / elapsedMs) * 100).toFixed(2)} %`],
        ['CPU time of a look alone (in this process)', `${look.cpuMs.toFixed(2)} ms`],
      ],
    );
  } finally {
    await sequences.close();
  }
}

/** The counter of the controller's own metrics. */
async function plansMade(lab: FleetLab): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${lab.hookPort}/metrics`)).text();
  const found = [...text.matchAll(/^slipway_passes_total\{[^}]*\} (\d+)$/gm)].map((it) => Number(it[1]));
  if (found.length === 0) throw new Error(`the controller does not count its passes:\n${text}`);
  return sum(found);
}

/** What the controller does every 200 ms while the branch stays where it is, many times in a row. */
async function costOfALook(lab: FleetLab, { quick, signal }: BenchContext): Promise<{ wallMs: number; cpuMs: number }> {
  const tracked = { location: lab.path, branch: 'main' };
  const repository = openTracked({ tracked, paths: statePaths(lab.host.stateDir), env: {}, log: silentLogger });
  const looks = quick ? 20 : LOOKS;
  await repository.tip(signal);
  const [begunAt, cpuBefore] = [performance.now(), process.cpuUsage()];
  for (let i = 0; i < looks; i++) await repository.tip(signal);
  const { user, system } = process.cpuUsage(cpuBefore);
  return { wallMs: (performance.now() - begunAt) / looks, cpuMs: (user + system) / 1_000 / looks };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, it) => total + it, 0);
}
