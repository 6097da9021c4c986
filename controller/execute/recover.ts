/**
 * Recovery: before anybody acts on a namespace, every open deploy of it is finished or voided.
 *
 * The void is appended first; only then is anything undone. A paused executor whose own append comes later finds n
 * taken and touches nothing more.
 */
import type { Deploy } from '../../schemas/deploy.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { isoNow } from './clock.ts';
import { type Ending, endingOf, voidedState } from './ending.ts';
import type { ExecutorDeps, Session } from './session.ts';
import { settle } from './settle.ts';

/** Leaves no deploy of the namespace without an end in the log. Idempotent. */
export async function recoverNamespace(deps: ExecutorDeps, session: Session, signal: AbortSignal): Promise<void> {
  for (const deploy of await deps.deploys.listOpen(session.namespace))
    await recoverDeploy(deps, session, deploy, signal);
}

/** Ends one deploy as the log says, or voids it; gives its record. */
export async function recoverDeploy(
  deps: ExecutorDeps,
  session: Session,
  deploy: Deploy,
  signal: AbortSignal,
): Promise<Deploy> {
  deps.trace('recover:enter');
  const ending = await ensureEnded(deps, session, deploy, signal);
  const text = ending.kind === 'committed' ? `finishing, release #${ending.n} is live` : 'voided';
  session.onProgress({ kind: 'recovering', deploy: deploy.id, text });
  deps.log.info({ deploy: deploy.id, namespace: deploy.namespace, ending: ending.kind, n: ending.n }, 'recovered');
  return await finish(deps, session, deploy, ending, signal);
}

async function ensureEnded(
  deps: ExecutorDeps,
  session: Session,
  deploy: Deploy,
  signal: AbortSignal,
): Promise<Exclude<Ending, { kind: 'open' }>> {
  for (;;) {
    signal.throwIfAborted();
    const entries = await deps.store.log.entries(deploy.namespace, { from: deploy.tip + 1 });
    const ending = endingOf(deploy.id, entries);
    if (ending.kind !== 'open') return ending;
    const n = (entries.at(-1)?.n ?? deploy.tip) + 1;
    deps.trace('recover:void:append');
    await deps.store.log.append(
      {
        kind: 'void',
        namespace: deploy.namespace,
        n,
        at: isoNow(deps.clock),
        actor: session.actor,
        deploy: deploy.id,
        reason: 'its executor was gone',
      },
      signal,
    );
    deps.trace('recover:void:appended');
  }
}

async function finish(
  deps: ExecutorDeps,
  session: Session,
  deploy: Deploy,
  ending: Exclude<Ending, { kind: 'open' }>,
  signal: AbortSignal,
): Promise<Deploy> {
  const { n, releases } = ending;
  const stages = ending.kind === 'committed' ? (['apply', 'retire', 'close'] as const) : (['close'] as const);
  const pending = await settle(deps, session, { deploy: deploy.id, n, machines: deploy.machines, stages, signal });
  const live = ending.kind === 'committed';
  const over = !live || pending.length === 0;
  const state = live ? (over ? 'done' : 'cleanup-pending') : voidedState(ending, 'failed');
  const failure =
    ending.kind === 'void' ? (deploy.failure ?? { code: 'LEASE_LOST', message: ending.reason, evidence: [] }) : null;
  const ended: Deploy = { ...deploy, state, releases, pending, failure, endedAt: isoNow(deps.clock) };
  await deps.deploys.save(ended, over);
  return ended;
}

/** An open deploy that another executor ended while we worked on it. */
export function lostTo(ending: Ending): SlipwayError {
  const how = ending.kind === 'open' ? 'by another entry' : `by ${ending.kind} #${ending.n}`;
  return new SlipwayError('DEPLOY_LOST', `another executor ended this deploy first, ${how}`);
}
