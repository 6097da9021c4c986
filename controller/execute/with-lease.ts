/** Work under the lease of a namespace: taken, waited for, taken over from the dead, given back. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { Lease } from '../../store/port.ts';
import { isDeadOwner, leaseOwner } from './lease-owner.ts';
import type { OnProgress } from './progress.ts';
import type { ExecutorDeps, Session } from './session.ts';

interface LeaseArgs {
  readonly namespace: string;
  readonly actor: string;
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress;
  /** How long another executor's lease is waited for. */
  readonly waitForLeaseMs?: number;
}

const LEASE_RETRY_MS = 250;

/** @throws LEASE_HELD when another executor is at work for longer than that */
export async function withLease<T>(
  deps: ExecutorDeps,
  args: LeaseArgs,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { namespace, actor, onProgress = () => {} } = args;
  const lease = await takeLease(deps, args);
  deps.trace('lease:acquired');
  try {
    return await work({ namespace, lease, actor, onProgress });
  } finally {
    await lease.release().catch((error: unknown) => deps.log.warn({ err: error }, 'lease not released; it expires'));
  }
}

async function takeLease(
  deps: ExecutorDeps,
  { namespace, actor, signal, waitForLeaseMs = 0 }: LeaseArgs,
): Promise<Lease> {
  const until = deps.clock.now() + waitForLeaseMs;
  for (;;) {
    signal.throwIfAborted();
    const lease = await deps.store.leases.acquire(['ns', namespace], leaseOwner(actor, deps.machine));
    if (lease !== null) return lease;
    const holder = await deps.store.leases.holder(['ns', namespace]);
    if (holder !== null && isDeadOwner(holder, deps.machine)) {
      await deps.store.leases.revoke(['ns', namespace], holder);
      continue;
    }
    if (deps.clock.now() >= until) {
      throw new SlipwayError('LEASE_HELD', `${holder ?? 'another executor'} is working on ${namespace}`, { namespace });
    }
    await deps.clock.sleep(LEASE_RETRY_MS, signal);
  }
}
