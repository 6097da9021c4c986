/** What is left of a removed namespace: the inventories of all machines and the keys of the state, as sentences. Pure. */
import { INVENTORY_WORDS, type NamespaceInventory } from '../../schemas/inventory.ts';

type Kind = keyof NamespaceInventory;
const KINDS = Object.keys(INVENTORY_WORDS) as Kind[];

/** The inventories of several machines as one. */
export function merged(inventories: readonly NamespaceInventory[]): NamespaceInventory {
  const of = (kind: Kind) => inventories.flatMap((it) => it[kind]);
  return {
    containers: of('containers'),
    servers: of('servers'),
    routes: of('routes'),
    filter: of('filter'),
    volumes: of('volumes'),
    files: of('files'),
  };
}

export interface Proof {
  /** Whether nothing at all is left. */
  readonly clean: boolean;
  readonly text: string;
}

/** What a look at everything found. `silent`: machines that did not answer. `keys`: of the state, naming the namespace. */
export function proofOf(args: {
  readonly before: NamespaceInventory | null;
  readonly after: NamespaceInventory;
  readonly keys: readonly string[];
  readonly silent: readonly string[];
}): Proof {
  const { before, after, keys, silent } = args;
  const left = KINDS.flatMap((kind) =>
    after[kind].length === 0 ? [] : [`${counted(kind, after)} (${few(after[kind])})`],
  );
  if (keys.length > 0) left.push(`state: ${few(keys)}`);
  const unknown = silent.length === 0 ? [] : [`${silent.join(', ')} cannot be asked`];
  if (left.length + unknown.length > 0) {
    const found = left.length === 0 ? [] : [`left: ${left.join(', ')}`];
    return { clean: false, text: `${[...found, ...unknown].join('; ')}; it is tried again` };
  }
  const gone =
    before === null ? [] : KINDS.flatMap((kind) => (before[kind].length === 0 ? [] : [counted(kind, before)]));
  const what = gone.length === 0 ? '' : `: ${gone.join(', ')} gone`;
  return { clean: true, text: `nothing left${what}; checked docker, volumes, HAProxy, nft, files, state` };
}

function counted(kind: Kind, inventory: NamespaceInventory): string {
  const [one, several] = INVENTORY_WORDS[kind];
  const count = inventory[kind].length;
  return `${count} ${count === 1 ? one : several}`;
}

function few(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown}, …` : shown;
}
