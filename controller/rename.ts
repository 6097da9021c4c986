/** Renames: the same services under a new namespace name. Pure. A rename would not move data, so it stops. */
import { digestOf } from '../schemas/canonical.ts';
import type { NamespaceName } from '../schemas/names.ts';
import type { Desired } from '../schemas/service.ts';

/** New namespace → the one that disappeared in the same revision with exactly its services and volumes. */
export function renamesIn(args: {
  /** Namespaces of the revision that have never had a release. */
  readonly appeared: readonly Desired[];
  /** Namespaces that git no longer has, with what it said of them last. */
  readonly disappeared: readonly Desired[];
}): Map<NamespaceName, NamespaceName> {
  const content = (it: Desired) => digestOf({ services: it.services, volumes: it.volumes });
  const gone = new Map(args.disappeared.map((it) => [content(it), it.namespace]));
  return new Map(
    args.appeared.flatMap((it) => {
      const from = it.services.length === 0 ? undefined : gone.get(content(it));
      return from === undefined ? [] : [[it.namespace, from] as const];
    }),
  );
}
