/**
 * Secrets of a plan, sealed to the machines whose steps need them. All at once, before the first step: a secret that is
 * set anew while a deploy is under way must not stop it half-way.
 */
import type { MachineName } from '../../schemas/names.ts';
import type { Plan } from '../../schemas/plan.ts';
import { type MachineSecret, secretScope } from '../../schemas/secret.ts';
import { type ServiceSpec, specDigest } from '../../schemas/service.ts';
import type { ExecutorDeps } from './session.ts';

export interface SealedSecrets {
  /** The secrets that a spec pins, as this machine may open them; nothing when it pins none. */
  of(machine: MachineName, spec: ServiceSpec): { readonly secrets?: MachineSecret[] };
}

/** @throws SECRET_MISSING, BASIS_MOVED when a secret has another version than the plan pinned */
export async function sealSecrets(
  { secrets }: Pick<ExecutorDeps, 'secrets'>,
  { namespace, managedBy, services, phases }: Plan,
): Promise<SealedSecrets> {
  const specs = new Map(services.map((it) => [specDigest(it), it]));
  const scope = secretScope(managedBy, namespace);
  const wanted = new Map<string, Promise<MachineSecret>>();
  const keyOf = (machine: MachineName, name: string, version: number) => `${machine} ${name} ${version}`;
  for (const step of phases.flatMap((it) => it.steps)) {
    for (const digest of specsOf(step)) {
      for (const [name, version] of Object.entries(specs.get(digest)?.template.secrets ?? {})) {
        const key = keyOf(step.machine, name, version);
        if (!wanted.has(key)) wanted.set(key, secrets.sealFor(step.machine, { namespace, scope, name, version }));
      }
    }
  }
  const sealed = new Map(await Promise.all([...wanted].map(async ([key, secret]) => [key, await secret] as const)));
  return {
    of(machine, { template }) {
      if (template.secrets === undefined) return {};
      const found = Object.entries(template.secrets).map(([name, version]) => {
        const secret = sealed.get(keyOf(machine, name, version));
        if (secret === undefined) throw new Error(`secret ${name} was not sealed to ${machine}`);
        return secret;
      });
      return { secrets: found };
    },
  };
}

function specsOf(step: Plan['phases'][number]['steps'][number]): string[] {
  switch (step.verb) {
    case 'start':
      return [step.slot.spec];
    case 'swap':
      return step.starts.map((it) => it.spec);
    case 'job':
      return [step.spec];
    case 'pull':
    case 'volume':
      return [];
  }
}
