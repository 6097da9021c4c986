/**
 * What this machine has of one namespace, asked of those that have it and not of our own records: the engine, HAProxy,
 * the kernel's packet filter, folders and files. After a removal all of it is empty.
 */
import { readdir, readFile } from 'node:fs/promises';
import type { NamespaceInventory } from '../schemas/inventory.ts';
import type { Engine } from './docker/port.ts';
import { endpointId, LABEL } from './identity.ts';
import type { VolumeDriver } from './ports.ts';

export interface InventoryDeps {
  readonly installation: string;
  readonly engine: Pick<Engine, 'list' | 'inspect'>;
  readonly gateway: { held(): Promise<Held> };
  /** Sets of the packet filter with their addresses. */
  readonly filterSets: () => Promise<ReadonlyMap<string, readonly string[]>>;
  readonly volumes: Pick<VolumeDriver, 'list'>;
  /** Folders with one folder a namespace. */
  readonly folders: readonly string[];
  /** Files that hold names of namespaces in quotes. */
  readonly files: readonly string[];
}

/** What HAProxy has: ids of servers, and route → section. */
interface Held {
  readonly servers: readonly string[];
  readonly routes: readonly string[];
}

export type ReadInventory = (namespace: string, hostnames: readonly string[]) => Promise<NamespaceInventory>;

/** `hostnames`: those that the namespace had, to look for in the gateway. */
export function createInventory(deps: InventoryDeps): ReadInventory {
  const { engine, installation } = deps;

  async function containers() {
    const listed = await engine.list({ [LABEL.installation]: installation });
    const found = await Promise.all(listed.map((it) => engine.inspect(it.id)));
    return found.filter((it) => it !== null);
  }

  return async (namespace, hostnames) => {
    const [all, held, sets, volumes] = await Promise.all([
      containers(),
      deps.gateway.held(),
      deps.filterSets(),
      deps.volumes.list(),
    ]);
    const own = all.filter((it) => it.labels[LABEL.namespace] === namespace);
    const foreign = new Set(all.filter((it) => !own.includes(it)).map((it) => endpointId(it.id)));
    const set = sets.get(`ns_${namespace}`);
    return {
      containers: own.map((it) => it.name).toSorted(),
      servers: held.servers.filter((it) => !foreign.has(it)).toSorted(),
      routes: held.routes.filter((it) => hostnames.includes(it.split('/')[0] ?? '')).toSorted(),
      filter: set === undefined ? [] : [`ns_${namespace} (${set.length})`],
      volumes: volumes.filter((it) => it.namespace === namespace).map((it) => it.volume),
      files: [...(await foldersOf(deps.folders, namespace)), ...(await filesNaming(deps.files, namespace))],
    };
  };
}

async function foldersOf(folders: readonly string[], namespace: string): Promise<string[]> {
  const found = await Promise.all(
    folders.map(async (it) =>
      (await readdir(it).catch((): string[] => [])).includes(namespace) ? [`${it}/${namespace}`] : [],
    ),
  );
  return found.flat();
}

async function filesNaming(files: readonly string[], namespace: string): Promise<string[]> {
  const texts = await Promise.all(files.map((it) => readFile(it, 'utf8').catch(() => '')));
  return files.filter((_, i) => texts[i]?.includes(`"${namespace}"`) || texts[i]?.includes(`"${namespace}/`));
}
