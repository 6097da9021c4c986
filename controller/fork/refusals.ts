/** What a service may not have in a fork: everything by which it could reach its machine or another namespace. Pure. */
import type { DesiredService } from '../../schemas/service.ts';

/** A rule: what it looks at, and what is wrong; null: nothing. */
const RULES: Readonly<Record<string, (service: DesiredService) => string | null>> = {
  bind: ({ template }) => {
    const bind = template.mounts.find((it) => it.kind === 'bind');
    return bind?.kind === 'bind' ? `mounts the path ${JSON.stringify(bind.path)} of its machine` : null;
  },
  hostNetwork: ({ template }) => (template.network === 'host' ? 'uses the network of its machine' : null),
  hostPid: ({ template }) => (template.pidMode === 'host' ? 'sees all processes of its machine' : null),
  privileged: ({ template }) => (template.privileged ? 'is privileged' : null),
  capAdd: ({ template }) => (template.capAdd.length > 0 ? `adds capabilities (${template.capAdd.join(', ')})` : null),
};

/** Everything that keeps a service out of a fork, as sentences. */
export function refusalsOf(service: DesiredService, volumes: ReadonlySet<string>): string[] {
  const found = Object.values(RULES).flatMap((rule) => rule(service) ?? []);
  const foreign = service.template.mounts.flatMap((it) =>
    it.kind === 'volume' && !volumes.has(it.volume)
      ? [`mounts volume ${it.volume}, which is not one of this namespace`]
      : [],
  );
  return [...found, ...foreign].map((it) => `${service.name} ${it}; forks may not`);
}
