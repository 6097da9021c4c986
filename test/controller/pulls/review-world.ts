/**
 * A namespace where plans are approved, as people and the controller work on it: pull requests that are pushed to, shown
 * and merged, deploys by hand, approvals in comments, rights that come and go. Planner, store, executor, one pass of the
 * loop and the taking of commands are real; the machine and the forge are in memory.
 *
 * `audit` looks at every release with a bookkeeping of its own: what was shown, and who agreed to it after that.
 */
import { createOwnVerbs } from '../../../controller/commands/own-verbs.ts';
import { createCommands } from '../../../controller/commands/take.ts';
import { createAgreements } from '../../../controller/consent/agreements.ts';
import type { ConfirmAgreement } from '../../../controller/consent/forge-check.ts';
import { createFreezes } from '../../../controller/consent/freezes.ts';
import type { Covers } from '../../../controller/consent/needs.ts';
import { systemClock } from '../../../controller/execute/clock.ts';
import { createMetrics } from '../../../controller/metrics.ts';
import { createNamespaces } from '../../../controller/namespaces.ts';
import { type PassDeps, pass, type Target, type Worker } from '../../../controller/pass.ts';
import { createConfirmer } from '../../../controller/pulls/confirmer.ts';
import { createPullRecords } from '../../../controller/pulls/records.ts';
import { keepShownPlan } from '../../../controller/pulls/shown-plans.ts';
import { desiredDigest, planDesired } from '../../../controller/reconcile.ts';
import { rulesOf, saveRules } from '../../../controller/rules.ts';
import { isSlipwayError } from '../../../schemas/errors.ts';
import type { ForgeUser, Permission } from '../../../schemas/forge.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { hasChanges, type Plan } from '../../../schemas/plan.ts';
import { type Desired, ServiceSpec } from '../../../schemas/service.ts';
import { desiredService } from '../../builders/service.ts';
import { ALICE, BOB, createFakeForge, revisionOf } from '../../fakes/forge.ts';
import { createExecutorLab } from '../execute/lab.ts';
import { settingsOf } from '../manifest/fleet.ts';

const CAROL: ForgeUser = { id: 13, login: 'carol', bot: false };
export const PEOPLE: readonly ForgeUser[] = [ALICE, BOB, CAROL];
export const SERVICES = ['web', 'api'] as const;
export type Versions = Readonly<Record<(typeof SERVICES)[number], number>>;

/** Guards that a test may take out. */
export interface Guards {
  readonly covers?: Covers;
  /** In place of the look at the forge by the executor; who approves is looked at all the same. */
  readonly confirmWhenRun?: ConfirmAgreement;
}

const NAMESPACE = 'production';
const SETTINGS = settingsOf(`
[approvals.production]
required = true
self = false
[roles]
approve = ["admin"]
`);
const AUTHORS: Readonly<Record<number, ForgeUser>> = { 1: ALICE, 2: BOB, 3: CAROL };
const RULES = { maxRemovePercent: 50, approvalRequired: true };

interface Shown {
  readonly plan: string;
  readonly release: number | null;
}
interface Approval extends Shown {
  /** null: an operator. */
  readonly user: ForgeUser | null;
  readonly pull: number;
  readonly comment: number;
  used: boolean;
}

export async function createReviewWorld(guards: Guards = {}) {
  const forge = createFakeForge();
  const never = new AbortController().signal;
  const stop = new AbortController();
  const lab = await createExecutorLab();
  const { store } = lab;
  const image = { image: { localId: `sha256:${'c'.repeat(64)}`, name: 'web:1' } };
  store.messages.serve(['agent', 'm1', 'image'], async () => image, stop.signal);
  await saveRules(store.bucket('cluster'), rulesOf(SETTINGS));
  const agreements = createAgreements({ bucket: store.bucket('consents'), ...guards });
  const namespaces = createNamespaces({ bucket: store.bucket('namespaces') });
  const freezes = createFreezes({ bucket: store.bucket('freezes'), now: () => systemClock.now() });
  const records = createPullRecords({ bucket: store.bucket('pulls'), now: () => new Date().toISOString() });
  const confirmAgreement = createConfirmer({ forge, store, records });
  const executor = lab.executorWith({ agreements, confirmAgreement: guards.confirmWhenRun ?? confirmAgreement });
  // What a command uses: it cannot ask the forge.
  const cli = lab.executorWith({ agreements });
  const about = { store, namespaces, agreements, clock: systemClock, log: silentLogger, gatewayPorts: [80] };
  const passDeps: PassDeps = {
    ...about,
    executor,
    actor: 'controller',
    metrics: createMetrics(),
    say: () => {},
  };
  let nowMs = 0;
  const refuse = async () => await Promise.reject(new Error('not in this test'));
  const commands = createCommands({
    forge,
    bucket: store.bucket('commands'),
    verbs: {
      ...createOwnVerbs({
        ...about,
        freezes,
        records,
        confirmAgreement,
        executor,
        deploys: lab.deploys,
      }),
      plan: refuse,
      preview: refuse,
      destroy: refuse,
      promote: refuse,
    },
    settings: () => SETTINGS,
    owner: 'test',
    clock: { ...systemClock, now: () => (nowMs += 60_000) },
    log: silentLogger,
  });
  for (const it of PEOPLE) forge.permissions.set(it.login, 'admin');
  let main: Versions = { web: 0, api: 0 };
  const heads = new Map<number, { service: (typeof SERVICES)[number]; version: number }>();
  for (const number of [1, 2, 3]) {
    forge.open({ number, author: AUTHORS[number] ?? ALICE });
    heads.set(number, { service: number === 1 ? 'web' : 'api', version: 1 });
  }
  let worker: Worker | null = null;
  const shown: Shown[] = [];
  const approvals: Approval[] = [];
  let audited = 0;

  const desiredOf = (versions: Versions): Desired => ({
    namespace: NAMESPACE,
    services: SERVICES.map((name) =>
      desiredService({ name, imageName: 'web:1', template: { env: { V: String(versions[name]) } } }),
    ),
    volumes: [],
  });
  const merged = (number: number): Versions => {
    const head = heads.get(number);
    return head === undefined ? main : { ...main, [head.service]: head.version };
  };
  async function planOf(versions: Versions, seed: string): Promise<Plan> {
    const desired = desiredOf(versions);
    const common = { store, managedBy: 'git' as const, gatewayPorts: [80], ...RULES };
    const result = await planDesired({ ...common, desired, revision: revisionOf(seed) });
    if (!result.ok) throw new Error(result.failures.map((it) => it.message).join('; '));
    return result.plan;
  }
  const liveN = async () => (await store.log.live(NAMESPACE))?.n ?? null;
  async function liveVersions(): Promise<Versions> {
    const services = (await store.log.live(NAMESPACE))?.services ?? {};
    const versions = { ...main };
    for (const name of SERVICES) {
      const digest = services[name];
      const spec = digest === undefined ? null : ServiceSpec.parse(await store.specs.get(digest));
      if (spec !== null) versions[name] = Number(spec.template.env['V']);
    }
    return versions;
  }
  const see = (it: Shown) => shown.push({ plan: it.plan, release: it.release });
  /** What `slipway approve` and the comments list. */
  const seePending = async () => {
    for (const it of await agreements.pending(NAMESPACE)) see(it);
  };
  const ignoreRefusal = (error: unknown) => {
    if (!isSlipwayError(error)) throw error;
  };

  async function audit(): Promise<void> {
    const entries = await store.log.entries(NAMESPACE);
    for (const entry of entries.filter((it) => it.n > audited)) {
      audited = entry.n;
      if (entry.kind !== 'release') continue;
      const previous = entries.findLast((it) => it.kind === 'release' && it.n < entry.n)?.n ?? null;
      const fits = approvals.filter((it) => !it.used && it.plan === entry.planId && it.release === previous);
      const good = fits.find((it) => it.user === null || mayApprove(it));
      if (good === undefined)
        throw new Error(`release #${entry.n} runs plan ${entry.planId.slice(0, 8)}, which nobody may have let run`);
      good.used = true;
    }
  }
  function mayApprove({ user, pull, comment }: Approval): boolean {
    if (user === null) return true;
    return (
      forge.permissions.get(user.login) === 'admin' &&
      AUTHORS[pull]?.id !== user.id &&
      (forge.asked.get(pull) ?? []).length === 0 &&
      forge.comments.has(comment)
    );
  }

  return {
    forge,
    store,
    agreements,
    approvals,
    releases: async () => (await store.log.entries(NAMESPACE)).filter((it) => it.kind === 'release').length,
    push(number: number, service: (typeof SERVICES)[number], version: number): void {
      if (forge.pulls.get(number)?.state !== 'open') return;
      heads.set(number, { service, version });
      forge.push(number);
    },
    /** The desk looks at a pull request: its comment shows the plan of now. */
    async show(number: number): Promise<void> {
      const pull = forge.pulls.get(number);
      if (pull?.state !== 'open') return;
      const plan = await planOf(merged(number), `merge ${number}`);
      const release = plan.basis.release;
      const row = { plan: plan.id, head: pull.head.revision, base: revisionOf('main'), release, verdict: '' };
      await keepShownPlan(store.bucket('pulls'), plan, { pull: number, fork: false });
      await records.change(pull, (it) => {
        const plans = [...(it.namespaces[NAMESPACE]?.plans ?? []), { ...row, at: new Date().toISOString() }].slice(-10);
        const { desiredDigest: digest } = plan.basis;
        const own = { comment: null, status: null, plans, desiredDigest: digest };
        return { ...it, head: pull.head.revision, namespaces: { [NAMESPACE]: own } };
      });
      see({ plan: plan.id, release });
    },
    /** A merge commit or a squash: the revision is another, the contents are not. */
    merge(number: number, how: 'merge' | 'squash'): void {
      if (forge.pulls.get(number)?.state !== 'open') return;
      main = merged(number);
      const { mergeCommit } = forge.merge(number, revisionOf(`${how} ${number}`));
      const desired = desiredOf(main);
      const target: Target = {
        wanted: { namespace: NAMESPACE, desired, managedBy: 'git', revision: mergeCommit ?? '', ...RULES },
        digest: desiredDigest(desired),
      };
      if (worker === null) {
        const idle = { wake: () => {}, poked: true, current: null, supersededInARow: 0, toldFrozen: '' };
        worker = { target, earlier: [], ...idle };
        return;
      }
      const before = worker.target;
      worker.target = target;
      if (before.digest !== target.digest) worker.earlier = [...worker.earlier, before];
    },
    async pass(): Promise<void> {
      if (worker !== null) await pass(passDeps, worker, never).catch(ignoreRefusal);
      await seePending();
      await audit();
    },
    /** Somebody deploys by hand, with an operator key or with whatever approval is there. */
    async deployByHand(service: (typeof SERVICES)[number], version: number, withKey: boolean): Promise<void> {
      const plan = await planOf({ ...(await liveVersions()), [service]: version }, 'by hand');
      if (!hasChanges(plan)) return;
      const at = new Date().toISOString();
      await agreements.require(plan, { by: 'cli/ops', at }).catch(ignoreRefusal);
      await seePending();
      const { id, namespace, basis } = plan;
      if (withKey) {
        const given = { kind: 'approval' as const, plan: id, namespace, release: basis.release };
        const isFresh = await agreements.give({ ...given, by: 'cli/ops', why: '', at, used: null });
        if (isFresh) approvals.push({ plan: id, release: basis.release, user: null, pull: 0, comment: 0, used: false });
      }
      await cli.execute({ plan, actor: 'cli/ops', signal: never }).catch(ignoreRefusal);
      await seePending();
      await audit();
    },
    /** Somebody approves one of the last plans that were ever shown, in a comment of a pull request. */
    async approve(user: ForgeUser, number: number, back: number): Promise<void> {
      const of = shown.at(-1 - back);
      if (of === undefined) return;
      const comment = forge.comment(number, user, `/slipway approve ${of.plan}`);
      const release = await liveN();
      const wasShown = shown.some((it) => it.plan === of.plan && it.release === release);
      const answer = await commands.take(comment.id, never);
      if (answer?.result.ok === true && wasShown)
        approvals.push({ plan: of.plan, release, user, pull: number, comment: comment.id, used: false });
    },
    takeBack(index: number): void {
      const given = approvals.filter((it) => it.user !== null);
      const comment = given[index % Math.max(1, given.length)]?.comment;
      if (comment !== undefined && forge.comments.has(comment)) forge.deleteComment(comment);
    },
    permit(user: ForgeUser, permission: Permission): void {
      forge.permissions.set(user.login, permission);
    },
    askForChanges(number: number, asks: boolean): void {
      forge.asked.set(number, asks ? [BOB] : []);
    },
    async close(): Promise<void> {
      stop.abort();
      await lab.close();
    },
  };
}
export type ReviewWorld = Awaited<ReturnType<typeof createReviewWorld>>;
