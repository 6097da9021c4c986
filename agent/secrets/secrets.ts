/** Secrets of a container about to be made or started: values for its environment, files for its mounts. */
import type { NamespaceName } from '../../schemas/names.ts';
import { envSecrets } from '../../schemas/secret.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import type { OpenSecrets } from '../docker/options.ts';
import type { SecretFiles } from './files.ts';
import type { Vault } from './vault.ts';

export interface SecretsOfSpec {
  /** Opens what the spec names; its files are there. @throws SECRET_UNREADABLE */
  open(namespace: NamespaceName, spec: ServiceSpec): Promise<OpenSecrets>;
  /** What none of these specs pins goes, from the disk and from memory. */
  forget(used: ReadonlyMap<NamespaceName, readonly ServiceSpec[]>): Promise<void>;
  /** Nothing of the namespace is kept: it runs nothing any more. */
  forgetNamespace(namespace: NamespaceName): Promise<void>;
}

export function createSecretsOfSpec({
  vault,
  files,
}: {
  vault: Pick<Vault, 'open' | 'forget' | 'forgetNamespace'>;
  files: SecretFiles;
}): SecretsOfSpec {
  return {
    async open(namespace, { template }) {
      const versions = template.secrets ?? {};
      const valueOf = (name: string) => vault.open(namespace, name, versions[name] ?? 0);
      const values = await Promise.all(
        envSecrets(template).map(async (name) => [name, (await valueOf(name)).toString('utf8')] as const),
      );
      const mounted = template.mounts.flatMap((it) => (it.kind === 'secret' ? [it.secret] : []));
      const paths = await Promise.all(
        mounted.map(async (name) => {
          const path = await files.ensure(namespace, name, versions[name] ?? 0, await valueOf(name));
          return [name, path] as const;
        }),
      );
      return { values: Object.fromEntries(values), paths: Object.fromEntries(paths) };
    },
    async forgetNamespace(namespace) {
      await vault.forgetNamespace(namespace);
      await files.removeNamespace(namespace);
    },
    async forget(used) {
      await vault.forget(used);
      await files.keepOnly(used);
    },
  };
}
