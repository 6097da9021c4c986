/** What the log says of a soak run: which version was live when, and how every deploy ended. Pure but for reading specs. */
import type { LogEntry } from '../../schemas/release.ts';
import { ServiceSpec } from '../../schemas/service.ts';
import type { Store } from '../../store/port.ts';

/** A time in which `version` was what the log says, in milliseconds since the epoch; `toMs` null: it still is. */
export interface Reign {
  readonly version: string;
  readonly fromMs: number;
  readonly toMs: number | null;
}

/** Reigns of a service's versions, in order. */
export async function reignsOf(store: Store, entries: readonly LogEntry[], service: string): Promise<Reign[]> {
  const reigns: Reign[] = [];
  for (const entry of entries) {
    if (entry.kind !== 'release') continue;
    const digests = new Set(entry.slots.filter((it) => it.service === service).map((it) => it.spec));
    const atMs = Date.parse(entry.at);
    const versions = new Set<string>();
    for (const digest of digests) {
      versions.add(ServiceSpec.parse(await store.specs.get(digest)).template.env['VERSION'] ?? '');
    }
    for (const [index, reign] of reigns.entries()) {
      if (reign.toMs === null && !versions.has(reign.version)) reigns[index] = { ...reign, toMs: atMs };
    }
    for (const version of versions) {
      if (reigns.some((it) => it.toMs === null && it.version === version)) continue;
      reigns.push({ version, fromMs: atMs, toMs: null });
    }
  }
  return reigns;
}

/** Milliseconds by which an answer came after its version's last reign; null: it had never been live by then. */
export function latenessMs(reigns: readonly Reign[], version: string, atMs: number): number | null {
  const before = reigns.filter((it) => it.version === version && it.fromMs <= atMs);
  if (before.length === 0) return null;
  return Math.min(...before.map((it) => Math.max(0, atMs - (it.toMs ?? atMs))));
}

/** What is wrong with the log: a hole, or a deploy that ended never or more than once. */
export function faultsOf(entries: readonly LogEntry[], deploys: readonly string[]): string[] {
  const faults = entries.flatMap((it, i) => (it.n === i + 1 ? [] : [`entry ${it.n} where ${i + 1} should be`]));
  const endings = new Map<string, string[]>();
  for (const it of entries) {
    const of = endings.get(it.deploy) ?? [];
    endings.set(it.deploy, of);
    if (it.kind === 'void' || it.kind === 'removed' || (it.kind === 'release' && it.final))
      of.push(`${it.kind} #${it.n}`);
  }
  for (const id of deploys) if (!endings.has(id)) endings.set(id, []);
  for (const [id, of] of endings)
    if (of.length !== 1) faults.push(`deploy ${id} ended as: ${of.join(', ') || 'nothing'}`);
  return faults;
}
