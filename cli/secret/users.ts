/** Which services of the live release use a secret, and in which version. */
import { readSpecs } from '../../controller/execute/situation.ts';
import type { NamespaceName, ServiceName } from '../../schemas/names.ts';
import type { Release } from '../../schemas/release.ts';
import { PREVIEW_SECRETS, type SecretName } from '../../schemas/secret.ts';
import type { Store } from '../../store/port.ts';

export interface SecretUser {
  readonly namespace: NamespaceName;
  readonly service: ServiceName;
  readonly version: number;
}

/** Services in order of name, for secrets of previews those of every fork; jobs are left out: they have run. */
export async function secretUsers(store: Store, scope: NamespaceName, secret: SecretName): Promise<SecretUser[]> {
  if (scope !== PREVIEW_SECRETS) return await usersIn(store, await store.log.live(scope), secret);
  const live = await Promise.all((await store.log.namespaces()).map((it) => store.log.live(it)));
  const forks = live.filter((it) => it?.managedBy === 'preview');
  return (await Promise.all(forks.map((it) => usersIn(store, it, secret)))).flat();
}

/** A user as people read it: with its namespace where that is not the secret's own. */
export function userText({ namespace, service }: SecretUser, scope: NamespaceName): string {
  return namespace === scope ? service : `${namespace}/${service}`;
}

async function usersIn(store: Store, live: Release | null, secret: SecretName): Promise<SecretUser[]> {
  if (live === null) return [];
  const specs = await readSpecs(store, live);
  return Object.entries(live.services).flatMap(([service, digest]) => {
    const spec = specs.get(digest);
    const version = spec?.job === false ? spec.template.secrets?.[secret] : undefined;
    return version === undefined ? [] : [{ namespace: live.namespace, service, version }];
  });
}
