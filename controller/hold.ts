/** Holds: the loop keeps its hands off a namespace until somebody says `resume`, or until git says something new. */
import type { NamespaceRecord } from '../schemas/deploy.ts';
import type { NamespaceName } from '../schemas/names.ts';
import type { Namespaces } from './namespaces.ts';

/** A hold, and the one that it replaced at that very moment. */
export interface HoldChange {
  readonly before: NamespaceRecord['held'];
  readonly held: NamespaceRecord['held'];
}

/** The namespace is held, bound to what git says now as far as that is known. `at`: ISO time. */
export async function holdNamespace(
  namespaces: Namespaces,
  args: { readonly namespace: NamespaceName; readonly by: string; readonly why: string; readonly at: string },
): Promise<HoldChange> {
  const { namespace, by, why, at } = args;
  let before: NamespaceRecord['held'] = null;
  const { held } = await namespaces.change(namespace, (it) => {
    before = it.held;
    const desiredDigest = it.failed?.desiredDigest ?? it.carriedOut;
    return { ...it, held: { by, why, at, desiredDigest } };
  });
  return { before, held };
}
