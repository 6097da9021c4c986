/** The slots of a release beside what machines report of them. Missing from a machine that reports, else unknown. Pure. */
import type { InstanceReport, InstanceState, MachineSnapshot } from '../schemas/observed.ts';
import type { Release } from '../schemas/release.ts';

export interface SlotView {
  readonly slot: string;
  readonly service: string;
  readonly machine: string;
  /** `missing`: its machine reports and does not name it. `unknown`: its machine does not report. */
  readonly state: InstanceState | 'missing' | 'unknown';
  /** null: missing or unknown. */
  readonly report: InstanceReport | null;
}

/** One view a slot, in order of the release; an instance that a swap put in its place counts as the slot's. */
export function slotViews(release: Release | null, snapshots: readonly MachineSnapshot[]): SlotView[] {
  const reports = snapshots.flatMap((it) => it.instances).filter((it) => it.namespace === release?.namespace);
  const reporting = new Set(snapshots.map((it) => it.machine));
  return (release?.slots ?? []).map((row) => {
    const { slot, service, machine, template, deploy } = row;
    const mine = reports.filter((it) => it.slot === slot);
    const report =
      mine.find((it) => it.template === template && it.deploy === deploy) ?? mine.find((it) => it.viaSwap) ?? null;
    const state = report?.state ?? (reporting.has(machine) ? 'missing' : 'unknown');
    return { slot, service, machine, state, report };
  });
}
