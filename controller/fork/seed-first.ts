/** The seed job of a fork comes first: whatever it does not itself need waits until it has ended. Pure. */
import type { DesiredService } from '../../schemas/service.ts';

/** The services with the seed job among them; every one that the seed does not wait for waits for it to be completed. */
export function seedFirst(services: readonly DesiredService[], seed: DesiredService): DesiredService[] {
  const others = services.filter((it) => it.name !== seed.name);
  const needed = neededBy(seed, others);
  const waiting = others.map((it) =>
    needed.has(it.name) ? it : { ...it, dependsOn: { ...it.dependsOn, [seed.name]: 'completed' as const } },
  );
  return [...waiting, seed];
}

/** Names of the services that a service waits for, and that those wait for. */
function neededBy(service: DesiredService, services: readonly DesiredService[]): Set<string> {
  const byName = new Map(services.map((it) => [it.name, it]));
  const found = new Set<string>();
  const next = Object.keys(service.dependsOn);
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    next.push(...Object.keys(byName.get(name)?.dependsOn ?? {}));
  }
  return found;
}
