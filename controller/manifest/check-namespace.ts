/** What the services and volumes of one namespace mean together: names, and who waits for whom. Pure. */
import type { ManifestService } from '../../schemas/manifest.ts';
import { groupBy } from './group-by.ts';
import type { NamedPlace, NamespaceParts, Part } from './parts.ts';
import { quoted } from './places.ts';
import { didYouMean } from './suggest.ts';

/** Checks across the parts of a namespace. */
export function checkNamespace(parts: NamespaceParts): void {
  checkUnique(parts.serviceNames, 'service');
  checkUnique(parts.volumeNames, 'volume');
  checkDependencies(parts);
  checkCycles(parts.services);
}

function checkUnique(names: readonly NamedPlace[], what: string): void {
  const byName = groupBy(names, (it) => it.name);
  for (const [name, places] of byName) {
    if (places.length < 2) continue;
    for (const it of places) {
      const others = places.slice(0, 4).filter((other) => other !== it);
      const shown = others.slice(0, 3).map(placeText).join(', ');
      it.report(['name'], `another ${what} of this namespace is called ${quoted(name)}: ${shown}`);
    }
  }
}

function placeText({ document, place }: NamedPlace): string {
  return `${document.file}:${place.line}:${place.column}`;
}

function checkDependencies({ services, serviceNames }: NamespaceParts): void {
  const names = [...new Set(serviceNames.map((it) => it.name))];
  const known = new Set(names);
  const byName = new Map(services.map((it) => [it.input.name, it.input]));
  for (const { input, report } of services) {
    for (const [name, condition] of Object.entries(input.depends_on ?? {})) {
      const path = ['depends_on', name];
      const target = byName.get(name);
      if (name === input.name) report(path, 'a service cannot wait for itself', { part: 'key' });
      else if (!known.has(name)) {
        const hint = didYouMean(
          name,
          names.filter((it) => it !== input.name),
        );
        report(path, `${quoted(name)} is not a service of this namespace`, { hint, part: 'key' });
      } else if (target !== undefined && condition === 'completed' && target.job !== true) {
        report(path, `${quoted(name)} is not a job, so it is never completed`, { hint: 'write started or ready' });
      } else if (target !== undefined && condition !== 'completed' && target.job === true) {
        report(path, `${quoted(name)} is a job`, { hint: 'write completed' });
      }
    }
  }
}

const MAX_CYCLES = 20;

/** Names every cycle once, at its first service. Without recursion: a namespace may have thousands of services. */
function checkCycles(services: readonly Part<ManifestService>[]): void {
  const parts = new Map(services.map((it) => [it.input.name, it]));
  const waits = new Map<string, Set<string>>();
  for (const [name, { input }] of parts) {
    const targets = Object.keys(input.depends_on ?? {}).filter((it) => it !== name && parts.has(it));
    waits.set(name, new Set(targets.toSorted()));
  }
  removeFree(waits);
  for (let shown = 0; waits.size > 0 && shown < MAX_CYCLES; shown += 1) {
    const cycle = findCycle(waits);
    const first = cycle[0] ?? '';
    parts
      .get(first)
      ?.report(['depends_on'], `services wait for each other: ${[...cycle, first].join(' → ')}`, { part: 'key' });
    for (const name of cycle) waits.set(name, new Set());
    removeFree(waits);
  }
}

/** Takes away all that wait for nothing, again and again. */
function removeFree(waits: Map<string, Set<string>>): void {
  const waitedBy = new Map<string, string[]>();
  for (const [name, targets] of waits) {
    for (const target of targets) {
      const names = waitedBy.get(target) ?? [];
      names.push(name);
      waitedBy.set(target, names);
    }
  }
  const free = [...waits].filter(([, targets]) => targets.size === 0).map(([name]) => name);
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    waits.delete(name);
    for (const other of waitedBy.get(name) ?? []) {
      const targets = waits.get(other);
      targets?.delete(name);
      if (targets?.size === 0) free.push(other);
    }
  }
}

/** Follows the first target of each until one comes again; begins with the smallest name of the cycle. */
function findCycle(waits: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const path: string[] = [];
  const seen = new Map<string, number>();
  let [name] = [...waits.keys()].toSorted();
  while (name !== undefined && !seen.has(name)) {
    seen.set(name, path.length);
    path.push(name);
    [name] = [...(waits.get(name) ?? [])];
  }
  const cycle = path.slice(seen.get(name ?? '') ?? 0);
  const start = cycle.indexOf(cycle.toSorted()[0] ?? '');
  return [...cycle.slice(start), ...cycle.slice(0, start)];
}
