/**
 * Taking a fork away after its `removed` entry: its volumes, what the state remembers of it; then the proof that nothing
 * is left. Every call does what is still to be done and says what it found.
 */
import { isSlipwayError } from '../../schemas/errors.ts';
import { NamespaceInventory } from '../../schemas/inventory.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import { Machine } from '../../schemas/observed.ts';
import type { BucketName, Store } from '../../store/port.ts';
import { askAgent } from '../execute/ask-agent.ts';
import type { RemovedVolume, RemoveVolumeArgs } from '../execute/remove-volume.ts';
import { readVolumes } from '../execute/volumes.ts';
import { merged, type Proof, proofOf } from './leftovers.ts';

export interface TeardownDeps {
  readonly store: Store;
  readonly removeVolume: (args: Omit<RemoveVolumeArgs, 'actor'>) => Promise<RemovedVolume>;
}

const ASK_TIMEOUT_MS = 5_000;
const ASK_PATIENCE_MS = 5_000;
const WAIT_FOR_LEASE_MS = 5_000;

/**
 * Where keys name a namespace, and at which place. `forget`: what is of use only while it is there, and goes. The history
 * (log, specs, deploys, events, heads) stays.
 */
const STATE: readonly { readonly bucket: BucketName; readonly place: number; readonly forget: boolean }[] = [
  { bucket: 'namespaces', place: 0, forget: true },
  { bucket: 'consents', place: 1, forget: true },
  { bucket: 'intents', place: 0, forget: true },
  { bucket: 'freezes', place: 1, forget: false },
  { bucket: 'secrets', place: 0, forget: false },
];

export interface Looked {
  readonly inventory: NamespaceInventory;
  /** Machines that did not answer. */
  readonly silent: readonly string[];
}

/** What all machines have of a namespace now. */
export async function takeInventory(
  { store }: Pick<TeardownDeps, 'store'>,
  namespace: NamespaceName,
  hostnames: readonly string[],
): Promise<Looked> {
  const machines = (await store.bucket('machines').list()).map((it) => Machine.parse(it.value).name);
  const asked = await Promise.all(
    machines.map(async (machine) => {
      try {
        const answer = await askAgent({
          messages: store.messages,
          machine,
          question: 'inventory',
          payload: { namespace, hostnames },
          timeoutMs: ASK_TIMEOUT_MS,
          patienceMs: ASK_PATIENCE_MS,
        });
        return { machine, inventory: NamespaceInventory.parse(answer) };
      } catch (error) {
        if (!isSlipwayError(error, 'MACHINE_UNREACHABLE')) throw error;
        return { machine, inventory: null };
      }
    }),
  );
  return {
    inventory: merged(asked.flatMap((it) => it.inventory ?? [])),
    silent: asked.filter((it) => it.inventory === null).map((it) => it.machine),
  };
}

/** The namespace must have no live release and no open deploy. */
export async function tearDown(
  deps: TeardownDeps,
  args: {
    readonly namespace: NamespaceName;
    readonly hostnames: readonly string[];
    readonly before: NamespaceInventory | null;
    readonly signal: AbortSignal;
  },
): Promise<Proof> {
  const { namespace, hostnames, before, signal } = args;
  const volumes = (await readVolumes(deps.store)).filter((it) => it.namespace === namespace);
  for (const volume of new Set(volumes.map((it) => it.volume)))
    await deps.removeVolume({ namespace, volume, confirmed: true, signal, waitForLeaseMs: WAIT_FOR_LEASE_MS });
  const keys = await forgetState(deps.store, namespace);
  const { inventory, silent } = await takeInventory(deps, namespace, hostnames);
  return proofOf({ before, after: inventory, keys, silent });
}

/** Gives the keys that name the namespace and stay. */
async function forgetState(store: Store, namespace: NamespaceName): Promise<string[]> {
  const left: string[] = [];
  for (const { bucket, place, forget } of STATE) {
    const all = (await store.bucket(bucket).list()).map((it) => it.key);
    const keys = all.filter((it) => it[place] === namespace);
    if (forget) for (const key of keys) await store.bucket(bucket).delete(key);
    else left.push(...keys.map((it) => `${bucket} ${it.join('/')}`));
  }
  const open = await store.bucket('deploys').list(['open', namespace]);
  return [...left, ...open.map((it) => `deploys ${it.key.join('/')}`)];
}
