/** Which services of the live release use a secret, and in which version. */
import { readSpecs } from '../../controller/execute/situation.ts';
import type { NamespaceName, ServiceName } from '../../schemas/names.ts';
import type { SecretName } from '../../schemas/secret.ts';
import type { Store } from '../../store/port.ts';

/** Services in order of name; jobs are left out: they have run. */
export async function secretUsers(
  store: Store,
  namespace: NamespaceName,
  secret: SecretName,
): Promise<{ readonly service: ServiceName; readonly version: number }[]> {
  const live = await store.log.live(namespace);
  if (live === null) return [];
  const specs = await readSpecs(store, live);
  return Object.entries(live.services).flatMap(([service, digest]) => {
    const spec = specs.get(digest);
    const version = spec?.job === false ? spec.template.secrets?.[secret] : undefined;
    return version === undefined ? [] : [{ service, version }];
  });
}
