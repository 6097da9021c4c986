/** job: one container for each (service, template); one that runs or has ended is attached to. Its end is the result. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { StepAction } from '../../schemas/step.ts';
import type { Creator } from '../creator.ts';
import type { Engine } from '../docker/port.ts';
import { howItEnded } from '../how-it-ended.ts';
import { hostnameOf, jobLabels, jobName, jobSlot, LABEL } from '../identity.ts';
import type { Journal } from '../journal.ts';
import { withCandidates } from '../journal-records.ts';
import type { KeyedLocks, Turn } from '../locks.ts';
import type { Vault } from '../secrets/vault.ts';
import { gatherEvidence } from '../wait-ready.ts';
import { until } from '../waiting.ts';
import type { Seen, World } from '../world.ts';
import { refuseClosed } from './closed.ts';
import type { Handler, StepContext } from './handler.ts';

export interface JobDeps {
  readonly installation: string;
  readonly engine: Pick<Engine, 'list' | 'start' | 'remove' | 'logs'>;
  readonly world: World;
  readonly creator: Pick<Creator, 'create' | 'prepare'>;
  readonly vault: Pick<Vault, 'keep'>;
  readonly journal: Journal;
  readonly locks: KeyedLocks;
  readonly startLimit: Turn;
  readonly lifetime: AbortSignal;
  readonly now: () => number;
}

type JobAction = Extract<StepAction, { verb: 'job' }>;

const LOOK_EVERY_MS = 1000;

export function jobStep(deps: JobDeps): Handler<'job'> {
  const { installation, engine, world, creator, vault, journal, locks, startLimit, lifetime, now } = deps;

  async function find(namespace: string, { service, template }: JobAction): Promise<Seen | null> {
    const labels = { [LABEL.installation]: installation, [LABEL.namespace]: namespace, [LABEL.slot]: jobSlot(service) };
    const listed = await engine.list(labels, lifetime);
    const seen = await Promise.all(listed.map((it) => world.look(it.id, lifetime)));
    return seen.find((it) => it !== null && it.identity.job && it.identity.template === template) ?? null;
  }

  /** The container of the job, started at least once. A failure of an earlier deploy does not count for this one. */
  async function begun(action: JobAction, { namespace, deploy, signal }: StepContext): Promise<Seen> {
    const allowed = refuseClosed(journal, namespace, deploy, signal);
    let found = await find(namespace, action);
    const stale = found !== null && found.identity.deploy !== deploy;
    if (found !== null && stale && (found.state === 'created' || (hasEnded(found) && found.exitCode !== 0))) {
      allowed();
      await engine.remove(found.id, lifetime);
      await world.look(found.id, lifetime);
      found = null;
    }
    const id = found?.id ?? (await create(action, namespace, deploy, allowed));
    if (found === null || found.state === 'created') {
      await creator.prepare(namespace, action.spec);
      allowed();
      await startLimit(() => engine.start(id, lifetime), lifetime);
    }
    const seen = await world.look(id, lifetime);
    if (seen === null) throw removed(action);
    return seen;
  }

  async function create(action: JobAction, namespace: string, deploy: string, allowed: () => void): Promise<string> {
    allowed();
    const { service, template, specDigest, spec } = action;
    return await creator.create({
      name: jobName(installation, namespace, service, template),
      namespace,
      spec,
      labels: jobLabels(installation, { namespace, service, template, spec: specDigest, deploy }),
      hostname: hostnameOf(jobSlot(service)),
      job: true,
    });
  }

  return async (action, context) => {
    const { namespace, deploy, signal, progress } = context;
    const at = new Date(now()).toISOString();
    await vault.keep(namespace, action.secrets ?? []);
    await journal.keepSpecs({ [action.specDigest]: action.spec });
    await journal.change(namespace, 'job', (ops) => withCandidates(ops, deploy, [], at));
    progress(`starting job ${action.service}`);
    const key = `${namespace}/${jobSlot(action.service)}`;
    const { id } = await locks.run(key, () => begun(action, context), signal);
    progress(`job ${action.service} is running`);
    const ended = await until(
      () => {
        const it = world.get(id);
        if (it === null) return world.connected() ? ('removed' as const) : undefined;
        return hasEnded(it) ? it : undefined;
      },
      world.subscribe,
      LOOK_EVERY_MS,
      signal,
    );
    if (ended === 'removed') throw removed(action);
    const exitCode = ended.exitCode ?? -1;
    if (exitCode === 0) return { exitCode };
    const reason = howItEnded(ended, action.spec.template);
    const evidence = await gatherEvidence(engine, { slot: action.service, reason, container: ended, lastProbe: null });
    throw new SlipwayError('JOB_FAILED', `job ${action.service}: ${reason}`, { evidence: [evidence] });
  };
}

function hasEnded(container: Seen): boolean {
  return container.state === 'exited' || container.state === 'dead';
}

function removed({ service }: JobAction): SlipwayError {
  const reason = 'its container was removed while it ran';
  const evidence = [{ slot: service, reason, exitCode: null, lastProbe: null, logs: [] }];
  return new SlipwayError('JOB_FAILED', `job ${service}: ${reason}`, { evidence });
}
