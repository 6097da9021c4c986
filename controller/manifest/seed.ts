/**
 * The seed job: fills or masks the data of forks, so it belongs to a namespace's manifest and runs in its forks only.
 * Pure.
 */
import type { Desired, DesiredService } from '../../schemas/service.ts';

/** A namespace without its seed job, and the job; both as they were when it has none. */
export interface SplitSeed {
  readonly desired: Desired;
  readonly seed: DesiredService | null;
}

/** Takes the job of that name out of what is desired, and out of what others wait for. Empty: there is none. */
export function splitSeed(desired: Desired, seedJob: string): SplitSeed {
  const seed = seedJob === '' ? undefined : desired.services.find((it) => it.job && it.name === seedJob);
  if (seed === undefined) return { desired, seed: null };
  const services = desired.services.filter((it) => it !== seed).map((it) => withoutDependency(it, seedJob));
  return { desired: { ...desired, services }, seed };
}

function withoutDependency(service: DesiredService, name: string): DesiredService {
  if (!Object.hasOwn(service.dependsOn, name)) return service;
  const dependsOn = Object.fromEntries(Object.entries(service.dependsOn).filter(([it]) => it !== name));
  return { ...service, dependsOn };
}
