/** Leftovers: what machines report that nothing names, survivors of a removal that failed. Pure. */
import type { Deploy } from '../schemas/deploy.ts';
import type { InstanceReport } from '../schemas/observed.ts';
import type { Release } from '../schemas/release.ts';
import type { ServiceSpec } from '../schemas/service.ts';

/** `kept`: a blue-green service keeps it for a while on purpose. */
export interface Leftover {
  readonly slot: string;
  readonly machine: string;
  readonly deploy: string;
  readonly containerId: string;
  readonly state: InstanceReport['state'];
  readonly kept: boolean;
}

/** Instances that neither the live release nor a deploy under way names, in order of slot. */
export function leftoversOf(args: {
  readonly release: Release | null;
  /** Specs of the release by digest. */
  readonly specs: ReadonlyMap<string, ServiceSpec>;
  readonly open: readonly Deploy[];
  /** Of the namespace. */
  readonly reports: readonly InstanceReport[];
}): Leftover[] {
  const { release, specs, open, reports } = args;
  const key = (it: { slot: string; template: string; deploy: string }) => `${it.slot} ${it.template} ${it.deploy}`;
  // What it replaces is on its way out just now.
  if (open.some((it) => it.state === 'committed')) return [];
  const named = new Set(release?.slots.map(key));
  const under = new Set(open.filter((it) => it.state === 'applying').map((it) => it.id));
  return reports
    .filter((it) => !named.has(key(it)) && !under.has(it.deploy) && !it.viaSwap && it.state !== 'draining')
    .map(({ slot, service, machine, deploy, containerId, state }) => {
      const strategy = specs.get(release?.services[service] ?? '')?.strategy;
      const kept = strategy?.kind === 'blue-green' && strategy.holdMs > 0 && state !== 'exited';
      return { slot, machine, deploy, containerId, state, kept };
    })
    .toSorted((a, b) => (`${a.slot} ${a.containerId}` < `${b.slot} ${b.containerId}` ? -1 : 1));
}

/** One line on a leftover. */
export function leftoverText({ slot, machine, deploy, containerId, state, kept }: Leftover): string {
  const what = `${slot} of deploy ${deploy} on ${machine} (${state}, container ${containerId.slice(0, 12)})`;
  return kept
    ? `kept for a while: ${what}`
    : `left over: ${what}; no release names it, its removal is tried again by itself`;
}
