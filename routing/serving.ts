/** Which instances stand for a released slot. Pure: the order of reports never matters. */
import type { NamespaceName } from '../schemas/names.ts';
import type { InstanceReport } from '../schemas/observed.ts';
import type { SlotRow } from '../schemas/release.ts';
import { compareText } from './normalise.ts';

/** Reports of one place, found without a scan. */
export interface ReportIndex {
  ofSlot(namespace: NamespaceName, slot: string): readonly InstanceReport[];
}

/** Reports by slot, each list in order of container id. */
export function indexReports(reports: readonly InstanceReport[]): ReportIndex {
  const bySlot = new Map<string, InstanceReport[]>();
  for (const it of reports.toSorted((a, b) => compareText(a.containerId, b.containerId))) {
    const key = `${it.namespace}/${it.slot}`;
    const found = bySlot.get(key);
    if (found === undefined) bySlot.set(key, [it]);
    else found.push(it);
  }
  return { ofSlot: (namespace, slot) => bySlot.get(`${namespace}/${slot}`) ?? [] };
}

/**
 * The ready instances that serve a released slot: those that the row names, or else those that a swap put in their
 * place (before its release is live, or after it was undone).
 */
export function serving(row: SlotRow, namespace: NamespaceName, index: ReportIndex): readonly InstanceReport[] {
  const ready = index.ofSlot(namespace, row.slot).filter((it) => it.state === 'ready' && it.service === row.service);
  const released = ready.filter((it) => it.template === row.template && it.deploy === row.deploy);
  return released.length > 0 ? released : ready.filter((it) => it.viaSwap);
}

const LOOPBACK = '127.0.0.1';

/** The instance's address on the bridge; null: it is in the host's network, or in none. */
export function bridgeAddress(report: InstanceReport): string | null {
  return report.address === LOOPBACK ? null : report.address;
}

/** Where a machine's gateway reaches the instance; null: it cannot (the loopback of another machine). */
export function addressFrom(machine: string, report: InstanceReport): string | null {
  return report.address === LOOPBACK && report.machine !== machine ? null : report.address;
}
