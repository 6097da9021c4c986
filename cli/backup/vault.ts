/**
 * The agent's secrets after a restore: its own folder is in no backup, and no step brings secrets of what is live
 * already. They are sealed to its key again, from the state that was just restored.
 */
import { openVault } from '../../agent/secrets/vault.ts';
import { readSpecs } from '../../controller/execute/situation.ts';
import type { Secrets } from '../../controller/secrets.ts';
import { isSlipwayError } from '../../schemas/errors.ts';
import type { Installation, StatePaths } from '../../schemas/installation.ts';
import { secretScope } from '../../schemas/secret.ts';
import type { Store } from '../../store/port.ts';
import { machineKeys } from '../../trust/secret-keys.ts';

/** Gives the secrets, as NAMESPACE/NAME, of which what is live wants a version that no longer exists. */
export async function fillVault(args: {
  readonly store: Store;
  readonly secrets: Pick<Secrets, 'sealFor'>;
  readonly installation: Pick<Installation, 'id' | 'machine'>;
  readonly paths: StatePaths;
}): Promise<string[]> {
  const { store, secrets, paths } = args;
  const { id, machine } = args.installation;
  const vault = await openVault({
    path: `${paths.agent}/secrets.json`,
    installation: id,
    keys: () => machineKeys(paths.keys),
    trace: () => {},
    onOpened: () => {},
  });
  const gone: string[] = [];
  for (const { namespace, scope, name, version } of await wantedSecrets(store, machine)) {
    try {
      await vault.keep(namespace, [await secrets.sealFor(machine, { namespace, scope, name, version })]);
    } catch (error) {
      if (!isSlipwayError(error, 'BASIS_MOVED', 'SECRET_MISSING')) throw error;
      gone.push(`${scope}/${name}`);
    }
  }
  return [...new Set(gone)];
}

/** What the live releases pin in slots of the machine. */
async function wantedSecrets(store: Store, machine: string) {
  const wanted: { namespace: string; scope: string; name: string; version: number }[] = [];
  for (const namespace of await store.log.namespaces()) {
    const live = await store.log.live(namespace);
    if (live === null) continue;
    const scope = secretScope(live.managedBy, namespace);
    const specs = await readSpecs(store, live);
    const here = new Set(live.slots.filter((it) => it.machine === machine).map((it) => it.spec));
    for (const digest of here) {
      const pinned = Object.entries(specs.get(digest)?.template.secrets ?? {});
      wanted.push(...pinned.map(([name, version]) => ({ namespace, scope, name, version })));
    }
  }
  return wanted;
}
