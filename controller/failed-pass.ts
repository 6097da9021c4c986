/** A pass that failed: written down, said with what happens next, and in the events. */

import type { Logger } from '../schemas/logger.ts';
import type { Digest, NamespaceName } from '../schemas/names.ts';
import type { ManagedBy } from '../schemas/release.ts';
import type { Store } from '../store/port.ts';
import { advice } from './advice.ts';
import { retryAtMs } from './decide.ts';
import { type Clock, isoNow } from './execute/clock.ts';
import type { Namespaces } from './namespaces.ts';

export interface FailedPassDeps {
  readonly store: Store;
  readonly namespaces: Namespaces;
  readonly clock: Clock;
  readonly log: Logger;
  readonly actor: string;
  readonly say: (text: string) => void;
}

/** Records the failure of a digest. @returns when it is tried again (milliseconds since the epoch), null: not by itself */
export async function recordFailure(
  deps: FailedPassDeps,
  args: {
    readonly namespace: NamespaceName;
    readonly managedBy: ManagedBy;
    readonly digest: Digest;
    /** Stands for the versions of its secrets; null: none. */
    readonly secrets: Digest | null;
    readonly deploy: string | null;
    readonly code: string;
    readonly message: string;
  },
): Promise<number | null> {
  const { namespace, managedBy, digest, secrets, deploy, code, message } = args;
  const now = deps.clock.now();
  let next: number | null = null;
  await deps.namespaces.change(namespace, (it) => {
    const attempts = it.failed?.desiredDigest === digest ? it.failed.attempts + 1 : 1;
    next = retryAtMs(code, attempts, now, managedBy);
    const retryAt = next === null ? null : new Date(next).toISOString();
    return { ...it, held: null, failed: { desiredDigest: digest, secrets, deploy, code, message, retryAt, attempts } };
  });
  deps.log.warn({ namespace, code, retryAtMs: next }, message);
  const live = (await deps.store.log.live(namespace)) !== null;
  const then = advice({ namespace, code, retryAtMs: next, nowMs: now, live, deployed: deploy !== null });
  deps.say(`${namespace} is not deployed: ${code}: ${message}; ${then}`);
  if (deploy === null) {
    await deps.store.events
      .publish({
        at: isoNow(deps.clock),
        kind: 'plan.failed',
        namespace,
        deploy,
        machine: null,
        actor: deps.actor,
        message,
      })
      .catch((error: unknown) => deps.log.warn({ err: error }, 'event not recorded'));
  }
  return next;
}
