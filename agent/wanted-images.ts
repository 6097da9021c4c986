/**
 * Images that deploys under way asked for: a pull comes before the journal holds anything of its deploy. In memory; what
 * is lost with the agent is pulled again.
 */
import type { Journal } from './journal.ts';

/** A deploy whose end never reached this machine. */
const FORGET_AFTER_MS = 2 * 3_600_000;

export interface WantedImages {
  /** The deploy has asked for the image. */
  add(namespace: string, deploy: string, ref: string): void;
  /** Those of deploys that have not been closed. */
  list(): string[];
  /** Whether all is known that the deploy asked for. */
  knows(namespace: string, deploy: string): boolean;
}

export function createWantedImages(deps: {
  readonly journal: Pick<Journal, 'view'>;
  readonly now: () => number;
}): WantedImages {
  const { journal, now } = deps;
  const wanted = new Map<string, { namespace: string; deploy: string; refs: Set<string>; at: number }>();
  const keyOf = (namespace: string, deploy: string) => `${namespace}/${deploy}`;

  function forget(): void {
    for (const [key, { namespace, deploy, at }] of wanted) {
      if (journal.view(namespace).closed.includes(deploy) || now() - at > FORGET_AFTER_MS) wanted.delete(key);
    }
  }

  return {
    add(namespace, deploy, ref) {
      forget();
      const key = keyOf(namespace, deploy);
      const known = wanted.get(key) ?? { namespace, deploy, refs: new Set<string>(), at: 0 };
      known.refs.add(ref);
      wanted.set(key, { ...known, at: now() });
    },
    list() {
      forget();
      return [...wanted.values()].flatMap((it) => [...it.refs]);
    },
    knows: (namespace, deploy) => wanted.has(keyOf(namespace, deploy)),
  };
}
