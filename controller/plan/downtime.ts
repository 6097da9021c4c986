/**
 * Downtime: which services are away while the phases run, and for how long.
 *
 * A service is away while all of its serving instances are stopped by swaps of one phase. One whose clients reach a
 * certain machine (host network, published udp port) is away on that machine with each swap there. Start-first services
 * never are.
 */
import type { ServiceName, SlotName } from '../../schemas/names.ts';
import type { Downtime, Phase, PlanStep } from '../../schemas/plan.ts';
import type { SlotRow } from '../../schemas/release.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import { hostPorts } from './claims.ts';
import type { Live } from './live.ts';
import { groupBy, sortedBy } from './order.ts';
import type { Pinned } from './pin.ts';

/** Estimates for what is expected; a program that handles SIGTERM is gone and back in about this time. */
const STOP_ESTIMATE_MS = 1_000;
const START_ESTIMATE_MS = 2_000;

type Swap = Extract<PlanStep, { verb: 'swap' }>;
type Outage = Downtime['services'][number];

/** The class of the plan and every service that is away, the longest of its outages each; in order of name. */
export function downtimeOf(args: {
  readonly phases: readonly Phase[];
  readonly live: Live;
  readonly pinned: ReadonlyMap<ServiceName, Pinned>;
}): Downtime {
  const { live, pinned } = args;
  const serving = new Map([...live.byService].map(([service, rows]) => [service, new Set(rows.map((it) => it.slot))]));
  const outages = new Map<ServiceName, Outage>();
  for (const phase of args.phases) {
    const swaps = phase.steps.filter((it) => it.verb === 'swap');
    for (const [service, stops] of groupBy(
      swaps.flatMap((it) => it.stops),
      (it) => it.service,
    )) {
      const after = pinned.get(service)?.spec;
      if (after === undefined) continue;
      const left = serving.get(service) ?? new Set<SlotName>();
      for (const { slot } of stops) left.delete(slot);
      const before = stops.map((it) => live.specOf(it.spec));
      const bound = [...before, after].some((it) => it.template.network === 'host' || hostPorts(it).length > 0);
      if (left.size > 0 && !bound) continue;
      const mine = swaps.filter((it) => it.stops.some((row) => row.service === service));
      keepLonger(outages, outageOf({ after, before, mine, wholly: left.size === 0, stops }));
    }
    for (const it of swaps.flatMap((swap) => swap.starts)) add(serving, it.service, it.slot);
    if (phase.commit !== 'none') for (const it of phase.slots) add(serving, it.service, it.slot);
  }
  const services = sortedBy(outages.values(), (it) => it.service);
  return { class: services.length > 0 ? 'swap' : 'none', services };
}

function outageOf(args: {
  readonly after: ServiceSpec;
  readonly before: readonly ServiceSpec[];
  readonly mine: readonly Swap[];
  readonly wholly: boolean;
  readonly stops: readonly { readonly slot: SlotName }[];
}): Outage {
  const { after, before, mine, wholly } = args;
  const stopMs = Math.max(0, ...before.map((it) => it.stopGracePeriodMs));
  const deadlineMs = Math.max(0, ...mine.map((it) => it.deadlineMs));
  // Undone: the new one has to stop as well, and the old one to start again.
  const undoMs = after.stopGracePeriodMs + Math.max(deadlineMs, ...before.map((it) => it.deadlineMs));
  const machines = [...new Set(mine.map((it) => it.machine))].toSorted();
  return {
    service: after.name,
    expectedMs: Math.min(stopMs, STOP_ESTIMATE_MS) + START_ESTIMATE_MS,
    worstMs: stopMs + deadlineMs + undoMs,
    reason: `${wholly ? 'away' : `away on ${machines.join(', ')}, one swap after another`}: ${why(after, before, mine)}`,
  };
}

function why(after: ServiceSpec, before: readonly ServiceSpec[], mine: readonly Swap[]): string {
  const both = [after, ...before];
  const partners = mine.flatMap((it) => [...it.stops, ...it.starts]).map((it) => it.service);
  const others = [...new Set(partners)].filter((it) => it !== after.name).toSorted();
  const reasons = [
    ...(after.strategy.kind === 'recreate' ? ['its strategy is recreate'] : []),
    ...(both.some((it) => it.template.network === 'host') ? ['it uses the host network'] : []),
    ...(both.some((it) => it.template.udpPublish.length > 0) ? ['it publishes a udp port'] : []),
    ...(both.some(writes) ? ['it has a writable mount'] : []),
    ...(others.length > 0 ? [`it is exchanged together with ${others.join(', ')}`] : []),
  ];
  return reasons.length > 0 ? reasons.join(', ') : 'its strategy allows no surge';
}

function writes({ template }: ServiceSpec): boolean {
  return template.mounts.some((it) => 'readonly' in it && !it.readonly);
}

function keepLonger(outages: Map<ServiceName, Outage>, outage: Outage): void {
  const known = outages.get(outage.service);
  if (known === undefined || known.worstMs < outage.worstMs) outages.set(outage.service, outage);
}

function add(serving: Map<ServiceName, Set<SlotName>>, service: ServiceName, slot: SlotRow['slot']): void {
  const slots = serving.get(service) ?? new Set();
  serving.set(service, slots.add(slot));
}
