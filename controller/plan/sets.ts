/** Disjoint sets of names: what has to be decided together because it shares something. */

export interface DisjointSets {
  /** Puts both into the same set; either may be new. */
  union(a: string, b: string): void;
  /** Whether the name was ever part of a union. */
  has(name: string): boolean;
  /** One name that stands for the set, the same for all of its members until the next union. */
  rootOf(name: string): string;
}

/** No sets; grows by `union`. */
export function createSets(): DisjointSets {
  const parents = new Map<string, string>();

  function rootOf(name: string): string {
    let root = name;
    for (let up = parents.get(root); up !== undefined && up !== root; up = parents.get(root)) root = up;
    for (let at = name; at !== root; ) {
      const up = parents.get(at) ?? root;
      parents.set(at, root);
      at = up;
    }
    return root;
  }

  return {
    union(a, b) {
      const [rootA, rootB] = [rootOf(a), rootOf(b)];
      parents.set(rootA, rootA);
      parents.set(rootB, rootA);
    },
    has: (name) => parents.has(name),
    rootOf,
  };
}
