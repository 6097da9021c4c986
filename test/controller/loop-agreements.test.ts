/** What makes the loop wait for people, what lets it go on, and what it does not skip meanwhile. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Agreements, createAgreements } from '../../controller/consent/agreements.ts';
import { createFreezes } from '../../controller/consent/freezes.ts';
import { systemClock } from '../../controller/execute/clock.ts';
import { createLoop, type Loop } from '../../controller/loop.ts';
import { createMetrics } from '../../controller/metrics.ts';
import { createNamespaces, type Namespaces } from '../../controller/namespaces.ts';
import { keepShownPlan, readShownPlan } from '../../controller/pulls/shown-plans.ts';
import { planDesired } from '../../controller/reconcile.ts';
import type { Consent } from '../../schemas/consent.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { silentLogger } from '../../schemas/logger.ts';
import type { Plan } from '../../schemas/plan.ts';
import type { Desired } from '../../schemas/service.ts';
import { desiredService } from '../builders/service.ts';
import { createExecutorLab, type ExecutorLab } from './execute/lab.ts';

const REVISION = '1'.repeat(40);
const AT = '2026-01-01T00:00:00.000Z';
let lab: ExecutorLab;
let loop: Loop;
let namespaces: Namespaces;
let agreements: Agreements;
let stop: AbortController;
let said: string[];
let forgeSays: () => Promise<string | null>;

const desired = (version: string): Desired => ({
  namespace: 'production',
  services: [desiredService({ imageName: 'web:1', template: { env: { VERSION: version } } })],
  volumes: [],
});
const want = (version: string | null, approvalRequired = false) =>
  loop.want({
    namespace: 'production',
    desired: version === null ? null : desired(version),
    revision: REVISION,
    maxRemovePercent: 50,
    approvalRequired,
    managedBy: 'git',
  });
const live = async () => await lab.store.log.live('production');
const failedCode = async () => (await namespaces.get('production')).failed?.code ?? null;
const later = async (check: () => Promise<void>) => await vi.waitFor(check, { timeout: 5_000, interval: 10 });
/** Gives what the newest refused plan waits for. */
async function agree(): Promise<void> {
  const [pending] = await agreements.pending('production');
  if (pending === undefined) throw new Error('nothing waits');
  for (const kind of pending.needs) {
    const { plan, namespace, release } = pending;
    await agreements.give({ kind, plan, namespace, release, by: 'cli/ops', why: '', at: AT, used: null });
  }
}
/** Somebody approves the plan of a version before git says so. */
async function approveAhead(version: string, forge?: Consent['forge']): Promise<Plan> {
  const common = { store: lab.store, managedBy: 'git' as const, gatewayPorts: [80], maxRemovePercent: 50 };
  const result = await planDesired({
    ...common,
    desired: desired(version),
    revision: REVISION,
    approvalRequired: true,
  });
  if (!result.ok) throw new Error('no plan');
  const { id, namespace, basis } = result.plan;
  const given = { kind: 'approval' as const, plan: id, namespace, release: basis.release, why: '', at: AT, used: null };
  await agreements.give({ ...given, by: 'cli/ops', ...(forge === undefined ? {} : { forge }) });
  return result.plan;
}
const releases = async () =>
  (await lab.store.log.entries('production')).flatMap((it) => (it.kind === 'release' ? [it.services['web']] : []));

beforeEach(async () => {
  lab = await createExecutorLab();
  stop = new AbortController();
  said = [];
  const image = { image: { localId: `sha256:${'c'.repeat(64)}`, name: 'web:1' } };
  lab.store.messages.serve(['agent', 'm1', 'image'], async () => image, stop.signal);
  namespaces = createNamespaces({ bucket: lab.store.bucket('namespaces') });
  agreements = createAgreements({ bucket: lab.store.bucket('consents') });
  forgeSays = async () => 'nobody asked the forge';
  const executor = lab.executorWith({ confirmAgreement: () => forgeSays() });
  const about = { store: lab.store, executor, namespaces, clock: systemClock, log: silentLogger };
  const metrics = createMetrics();
  loop = createLoop(
    { ...about, metrics, actor: 'controller', gatewayPorts: [80], say: (text) => void said.push(text) },
    stop.signal,
  );
});
afterEach(async () => {
  stop.abort();
  await loop.stopped;
  await lab.close();
});

/** Release 1 is live, and its removal waits. */
async function removalWaits(): Promise<void> {
  want('1');
  await later(async () => expect((await live())?.n).toBe(1));
  want(null);
  await later(async () => expect(await failedCode()).toBe('CONSENT_NEEDED'));
}

describe('a plan of the loop that needs consent', () => {
  it('is listed, and carried out once it is consented to', async () => {
    await removalWaits();
    expect(await agreements.pending('production')).toMatchObject([
      { needs: ['consent'], by: 'controller', release: 1 },
    ]);
    await agree();
    loop.poke('production');
    await later(async () => expect(await live()).toBe(null));
    await later(async () => expect(lab.machine.running.size).toBe(0));
  });

  it('waits however often it is looked at', async () => {
    await removalWaits();
    for (let i = 0; i < 5; i++) {
      loop.poke('production');
      await systemClock.sleep(20);
    }
    expect((await live())?.n).toBe(1);
    expect((await namespaces.get('production')).failed?.attempts).toBe(1);
  });

  it('stays held although it is consented to', async () => {
    await removalWaits();
    await agree();
    const { failed } = await namespaces.get('production');
    const held = { by: 'cli/ops', why: '', at: AT, desiredDigest: failed?.desiredDigest ?? null };
    await namespaces.change('production', (it) => ({ ...it, held }));
    loop.poke('production');
    await systemClock.sleep(50);
    expect((await live())?.n).toBe(1);
  });
});

describe('where plans are approved', () => {
  it('nothing is carried out before it is, and the next one has to be as well', async () => {
    want('1', true);
    await later(async () => expect(await failedCode()).toBe('APPROVAL_NEEDED'));
    expect(await live()).toBe(null);
    await agree();
    loop.poke('production');
    await later(async () => expect((await live())?.n).toBe(1));
    want('2', true);
    await later(async () => expect(await agreements.pending('production')).toMatchObject([{ release: 1 }]));
    expect((await live())?.n).toBe(1);
  });

  it('what was approved is carried out before what git said later', async () => {
    want('1', true);
    await later(async () => expect(await failedCode()).toBe('APPROVAL_NEEDED'));
    const freezes = createFreezes({ bucket: lab.store.bucket('freezes'), now: () => systemClock.now() });
    await freezes.set({ scope: '*', by: 'cli/ops', why: 'a pause', at: AT, until: null });
    await agree();
    want('2', true);
    await systemClock.sleep(50);
    await freezes.lift('*');
    loop.pokeAll();
    await later(async () => expect((await live())?.n).toBe(1));
    await later(async () => expect(await agreements.pending('production')).toMatchObject([{ release: 1 }]));
    const [first] = await releases();
    await agree();
    loop.poke('production');
    await later(async () => expect((await live())?.n).toBe(2));
    expect((await releases())[1]).not.toBe(first);
  });

  it('what was approved before its merge is carried out before what was merged right after it', async () => {
    want('1', true);
    await later(async () => expect(await failedCode()).toBe('APPROVAL_NEEDED'));
    await agree();
    loop.poke('production');
    await later(async () => expect((await live())?.n).toBe(1));
    const freezes = createFreezes({ bucket: lab.store.bucket('freezes'), now: () => systemClock.now() });
    await freezes.set({ scope: '*', by: 'cli/ops', why: 'a pause', at: AT, until: null });
    await approveAhead('2');
    want('2', true);
    want('3', true);
    await systemClock.sleep(50);
    await freezes.lift('*');
    loop.pokeAll();
    await later(async () => expect((await live())?.n).toBe(2));
    await later(async () => expect(await agreements.pending('production')).toMatchObject([{ release: 2 }]));
  });

  it('another plan than the approved one waits, and says what differs', async () => {
    const approved = await approveAhead('1');
    await keepShownPlan(lab.store.bucket('pulls'), approved, { pull: 1, fork: false });
    want('2', true);
    await later(async () => expect(await failedCode()).toBe('APPROVAL_NEEDED'));
    const [pending] = await agreements.pending('production');
    expect(pending?.reasons.slice(-2)).toEqual([
      `It is not plan ${approved.id.slice(0, 12)}, to which cli/ops agreed.`,
      'Service web: env.VERSION differs.',
    ]);
    expect(await readShownPlan(lab.store.bucket('pulls'), 'production', pending?.plan ?? '')).not.toBe(null);
  });

  it('an approval that cannot be looked at now is looked at again by itself', async () => {
    forgeSays = () => Promise.reject(new SlipwayError('FORGE_UNAVAILABLE', 'GitHub does not answer'));
    await approveAhead('1', { login: 'bob', userId: 12, pull: 7, comment: 70 });
    want('1', true);
    await later(async () => expect(await failedCode()).toBe('FORGE_UNAVAILABLE'));
    forgeSays = async () => null;
    await later(async () => expect((await live())?.n).toBe(1));
  });

  it('an approval that is no longer good stops it, and is carried out once it is again', async () => {
    forgeSays = async () => 'alice asks for changes.';
    await approveAhead('1', { login: 'bob', userId: 12, pull: 7, comment: 70 });
    want('1', true);
    await later(async () => expect(await failedCode()).toBe('APPROVAL_NEEDED'));
    expect((await agreements.pending('production'))[0]?.reasons).toContain('alice asks for changes.');
    forgeSays = async () => null;
    loop.poke('production');
    await later(async () => expect((await live())?.n).toBe(1));
  });

  it('what nobody approved is skipped for what git says now', async () => {
    want('1', true);
    await later(async () => expect(await failedCode()).toBe('APPROVAL_NEEDED'));
    want('2', true);
    await later(async () => expect(await agreements.pending('production')).toHaveLength(2));
    await agree();
    loop.poke('production');
    await later(async () => expect((await live())?.n).toBe(1));
    await later(async () => expect(await failedCode()).toBe(null));
    await systemClock.sleep(50);
    expect(await releases()).toHaveLength(1);
  });

  it('an approved deploy under way is not superseded', async () => {
    lab.machine.endless.add('start');
    want('1', true);
    await later(async () => expect(await failedCode()).toBe('APPROVAL_NEEDED'));
    await agree();
    loop.poke('production');
    await later(async () => expect(lab.machine.acted.join()).toContain('start'));
    want('2', true);
    await systemClock.sleep(50);
    expect(await lab.store.log.tip('production')).toBe(0);
  });
});

describe('superseding', () => {
  it('ends a deploy for a newer digest, and leaves one alone that says the same', async () => {
    lab.machine.endless.add('start');
    want('1');
    await later(async () => expect(lab.machine.acted.join()).toContain('start'));
    want('1');
    await systemClock.sleep(50);
    expect(await lab.store.log.tip('production')).toBe(0);
    lab.machine.endless.clear();
    want('2');
    await later(async () => expect((await live())?.n).toBe(2));
    expect((await lab.store.log.read('production', 1))?.kind).toBe('void');
    const states = async () => (await lab.deploys.list('production')).map((it) => it.state);
    await later(async () => expect(await states()).toEqual(['superseded', 'done']));
  });

  it('comes twice in a row at most', async () => {
    lab.machine.endless.add('start');
    for (const version of ['1', '2', '3']) {
      const before = lab.machine.acted.length;
      want(version);
      await later(async () => expect(lab.machine.acted.slice(before).join()).toContain('start'));
    }
    expect(await lab.store.log.tip('production')).toBe(2);
    want('4');
    await systemClock.sleep(100);
    expect(await lab.store.log.tip('production')).toBe(2);
  });

  it('waits for a job that runs', async () => {
    lab.machine.endless.add('job');
    const migrate = desiredService({ name: 'migrate', job: true, imageName: 'web:1', ports: [] });
    const rules = { revision: REVISION, maxRemovePercent: 50, approvalRequired: false, managedBy: 'git' as const };
    loop.want({ namespace: 'production', desired: { ...desired('1'), services: [migrate] }, ...rules });
    await later(async () => expect(lab.machine.acted.join()).toContain('job'));
    want('2');
    await systemClock.sleep(100);
    expect(await lab.store.log.tip('production')).toBe(0);
  });
});

describe('a frozen loop', () => {
  const freezes = () => createFreezes({ bucket: lab.store.bucket('freezes'), now: () => systemClock.now() });
  const freeze = async (until: string | null) =>
    await freezes().set({ scope: 'production', by: 'cli/ops', why: 'a sale', at: AT, until });

  it('writes nothing, says it once, and goes on when the freeze is lifted', async () => {
    await freeze(null);
    want('1');
    await later(async () => expect(said.join()).toContain('frozen by cli/ops: a sale'));
    for (let i = 0; i < 5; i++) {
      loop.poke('production');
      await systemClock.sleep(20);
    }
    expect(said).toHaveLength(1);
    expect(await failedCode()).toBe(null);
    expect(await lab.store.events.list(10)).toEqual([]);
    await freezes().lift('production');
    loop.poke('production');
    await later(async () => expect((await live())?.n).toBe(1));
  });

  it('goes on by itself when the time of the freeze is over', async () => {
    await freeze(new Date(systemClock.now() + 300).toISOString());
    want('1');
    await systemClock.sleep(150);
    expect(await live()).toBe(null);
    await later(async () => expect((await live())?.n).toBe(1));
  });

  it('takes a deploy that the freeze ended up again', async () => {
    lab.machine.failing.set('web.0', 'FROZEN');
    want('1');
    await later(async () => expect((await lab.store.log.read('production', 1))?.kind).toBe('void'));
    lab.machine.failing.clear();
    await later(async () => expect(await live()).not.toBe(null));
    await later(async () => expect((await namespaces.get('production')).carriedOut).not.toBe(null));
    expect(await failedCode()).toBe(null);
  });
});
