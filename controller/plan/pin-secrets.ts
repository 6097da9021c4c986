/** Which version of each secret a service gets: the newest, or for services that are left alone the one they have. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { ServiceName } from '../../schemas/names.ts';
import {
  envSecrets,
  type SecretFacts,
  type SecretName,
  type SecretVersions,
  secretNames,
} from '../../schemas/secret.ts';
import type { DesiredService, ImageRef, ServiceSpec } from '../../schemas/service.ts';
import type { PlanFailure } from './input.ts';

export interface PinnedSecrets {
  /** Service → secret → version; services that name no secret are left out. */
  readonly secrets: Record<ServiceName, SecretVersions>;
  readonly failures: readonly PlanFailure[];
}

/**
 * Pins the secrets that the services name.
 *
 * @param facts of every secret of the namespace, by name
 * @param released live specs by service
 * @param isFresh whether a service takes the newest version of a secret; else it keeps the one that it was released with
 */
export function pinSecrets(args: {
  readonly namespace: string;
  readonly services: readonly DesiredService[];
  readonly facts: ReadonlyMap<SecretName, SecretFacts>;
  readonly released: ReadonlyMap<ServiceName, ServiceSpec>;
  readonly images: Readonly<Record<ServiceName, ImageRef>>;
  readonly isFresh: (service: ServiceName, secret: SecretName) => boolean;
}): PinnedSecrets {
  const failures: PlanFailure[] = [];
  const secrets: Record<ServiceName, SecretVersions> = {};
  for (const service of args.services) {
    const names = secretNames(service.template);
    if (names.length === 0) continue;
    const inEnv = new Set(envSecrets(service.template));
    const live = args.released.get(service.name);
    const before = live?.template.secrets ?? {};
    const isFresh = live === undefined || !ranAlready(service, args.images[service.name], live);
    const pinned = names.map((name): [SecretName, number] => {
      const kept = Object.hasOwn(before, name) ? before[name] : undefined;
      if (kept !== undefined && !(isFresh && args.isFresh(service.name, name))) return [name, kept];
      const known = args.facts.get(name);
      const problem = problemOf(known, inEnv.has(name), `${args.namespace}/${name}`);
      if (problem !== null) {
        failures.push({ code: 'SECRET_MISSING', service: service.name, message: `secret ${name} ${problem}` });
      }
      return [name, known?.version ?? 0];
    });
    secrets[service.name] = Object.fromEntries(pinned);
  }
  const key = (it: PlanFailure) => `${it.service} ${it.message}`;
  return { secrets, failures: failures.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)) };
}

/** A job that differs in nothing but versions of secrets: a new password is no reason to migrate again. */
function ranAlready(service: DesiredService, image: ImageRef | undefined, live: ServiceSpec): boolean {
  const { secrets: _, image: before, ...template } = live.template;
  return service.job && isDeepStrictEqual({ ...live, template }, service) && isDeepStrictEqual(before, image);
}

function problemOf(known: SecretFacts | undefined, inEnv: boolean, target: string): string | null {
  if (known === undefined) return `is not set: \`slipway secret set ${target}\` reads its value from standard input`;
  if (known.sizeBytes === 0) return `is empty: \`slipway secret set ${target}\` gives it a value`;
  if (inEnv && !known.isText)
    return 'is not text, so no environment variable can hold it: mount it as a file with source = { secret = … }';
  return null;
}
