/** approve, rollback, freeze and unfreeze over the real executor. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOwnVerbs } from '../../../controller/commands/own-verbs.ts';
import type { Asked } from '../../../controller/commands/verbs.ts';
import { type Agreements, createAgreements } from '../../../controller/consent/agreements.ts';
import { createFreezes } from '../../../controller/consent/freezes.ts';
import { systemClock } from '../../../controller/execute/clock.ts';
import { createNamespaces, type Namespaces } from '../../../controller/namespaces.ts';
import { createConfirmer } from '../../../controller/pulls/confirmer.ts';
import { createPullRecords, type PullRecords } from '../../../controller/pulls/records.ts';
import { rulesOf, saveRules } from '../../../controller/rules.ts';
import type { ForgeUser } from '../../../schemas/forge.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { Plan } from '../../../schemas/plan.ts';
import { serviceSpec } from '../../builders/service.ts';
import { ALICE, BOB, createFakeForge, type FakeForge, revisionOf } from '../../fakes/forge.ts';
import { createExecutorLab, type ExecutorLab } from '../execute/lab.ts';
import { settingsOf } from '../manifest/fleet.ts';

const never = new AbortController().signal;
const APPROVED = '[approvals.production]\nrequired = true\n';
let lab: ExecutorLab;
let forge: FakeForge;
let agreements: Agreements;
let namespaces: Namespaces;
let records: PullRecords;
let verbs: ReturnType<typeof createOwnVerbs>;

const web = (version: string) => serviceSpec({ name: 'web', template: { env: { V: version } } });
const deploy = async (version: string) =>
  await lab.executor.execute({ plan: await lab.plan([web(version)]), actor: 'test', signal: never });
const freezes = () => createFreezes({ bucket: lab.store.bucket('freezes'), now: () => systemClock.now() });
const liveN = async () => (await lab.store.log.live('production'))?.n;

/** A command of the user in pull request 1. */
function askedBy(user: ForgeUser, settings = ''): Asked {
  const pull = forge.pulls.get(1);
  if (pull === undefined) throw new Error('there is no pull request');
  return { pull, user, comment: forge.comment(1, user, '/slipway').id, settings: settingsOf(settings), signal: never };
}
/** The comment of pull request 1 shows the plan. */
async function show(plan: Plan): Promise<void> {
  const pull = askedBy(ALICE).pull;
  const { id, basis } = plan;
  const at = new Date().toISOString();
  const row = { plan: id, head: pull.head.revision, base: revisionOf('main'), release: basis.release, verdict: '', at };
  const comment = { id: 1, url: '', bodyDigest: '' };
  await records.change(pull, (it) => {
    const plans = [...(it.namespaces['production']?.plans ?? []), row];
    return { ...it, namespaces: { production: { comment, status: null, plans, desiredDigest: basis.desiredDigest } } };
  });
}

beforeEach(async () => {
  lab = await createExecutorLab();
  const { store } = lab;
  forge = createFakeForge();
  forge.open({ number: 1, author: ALICE });
  forge.permissions.set('alice', 'admin').set('bob', 'admin');
  agreements = createAgreements({ bucket: store.bucket('consents') });
  namespaces = createNamespaces({ bucket: store.bucket('namespaces') });
  records = createPullRecords({ bucket: store.bucket('pulls'), now: () => new Date().toISOString() });
  await saveRules(store.bucket('cluster'), rulesOf(settingsOf(APPROVED)));
  const confirmAgreement = createConfirmer({ forge, store, records });
  verbs = createOwnVerbs({
    store,
    executor: lab.executorWith({ confirmAgreement }),
    deploys: lab.deploys,
    namespaces,
    agreements,
    freezes: freezes(),
    records,
    confirmAgreement,
    clock: systemClock,
    log: silentLogger,
    gatewayPorts: [80],
  });
  await deploy('1');
});
afterEach(async () => await lab.close());

describe('/slipway approve', () => {
  const plan = async () => await lab.plan([web('2')], { approvalRequired: true });
  const approve = async (id: string, user = BOB) => await verbs.approve(askedBy(user, APPROVED), id);

  it('approves the plan that the comment shows, for exactly that plan over that release', async () => {
    const shown = await plan();
    await show(shown);
    expect(await approve(shown.id.slice(0, 12))).toContain(`Plan ${shown.id.slice(0, 12)} of production is approved`);
    expect(await agreements.missing(shown)).toEqual([]);
    const [given] = await agreements.covering(shown, 'approval');
    expect(given).toMatchObject({ by: 'github/bob', release: 1, forge: { userId: BOB.id, pull: 1 } });
    await expect.poll(async () => (await lab.store.events.list(50)).map((it) => it.kind)).toContain('approval.given');
  });

  it('approves a plan that waits, wherever it was asked for', async () => {
    const waiting = await plan();
    await agreements.ask(waiting, { by: 'controller', at: new Date().toISOString() });
    expect(await approve(waiting.id)).toContain('is carried out now');
    expect(await agreements.missing(waiting)).toEqual([]);
  });

  it.each([
    ['its author', async () => await approve((await plan()).id, ALICE), 'author of pull request #1'],
    [
      'somebody without the right',
      async () => {
        forge.permissions.set('bob', 'write');
        return await approve((await plan()).id);
      },
      'this is write',
    ],
    [
      'changes asked for',
      async () => {
        forge.asked.set(1, [ALICE]);
        return await approve((await plan()).id);
      },
      'asks for changes',
    ],
    ['a plan that nobody showed', async () => await approve('0'.repeat(12)), 'No plan 000000000000 is shown'],
    [
      'a plan that the comment showed before',
      async () => {
        const before = await plan();
        await show(await lab.plan([web('3')], { approvalRequired: true }));
        return await approve(before.id);
      },
      'not what this pull request would do any more',
    ],
    [
      'a head that moved since',
      async () => {
        forge.push(1);
        return await approve((await plan()).id);
      },
      'pushed to since',
    ],
    [
      'a release that came since',
      async () => {
        const before = await plan();
        await deploy('9');
        return await approve(before.id);
      },
      'went live in production since',
    ],
  ])('is refused with %s', async (_, act, words) => {
    await show(await plan());
    await expect(act()).rejects.toThrow(words);
    expect(await agreements.unused('production')).toEqual([]);
  });

  it('is no consent', async () => {
    const both = await lab.plan([], { approvalRequired: true, maxRemovePercent: 0 });
    await agreements.ask(both, { by: 'controller', at: new Date().toISOString() });
    expect(await approve(both.id)).toContain(`slipway consent ${both.id.slice(0, 12)}`);
    expect(await agreements.missing(both)).toEqual(['consent']);
  });
});

describe('/slipway rollback', () => {
  beforeEach(async () => void (await deploy('2')));

  it('goes back, and holds the namespace against git', async () => {
    const text = await verbs.rollback(askedBy(BOB), 'production', null);
    expect(text).toContain('release #3 is live');
    expect(await lab.store.log.live('production')).toMatchObject({ n: 3, lineage: { rollbackTo: 1 } });
    expect((await namespaces.get('production')).held).toMatchObject({
      by: 'github/bob',
      why: 'rolled back to release #1 in pull request #1',
    });
  });

  it('is about the one namespace that the pull request is about, and asks when that is unclear', async () => {
    await expect(verbs.rollback(askedBy(BOB), null, null)).rejects.toThrow('name the one');
    await show(await lab.plan([web('3')]));
    await verbs.rollback(askedBy(BOB), null, 1);
    expect(await liveN()).toBe(3);
  });

  it('of a name that nobody knows, to no such release, or while frozen is refused, and nothing is held', async () => {
    await expect(verbs.rollback(askedBy(BOB), 'prodution', null)).rejects.toThrow('no namespace prodution');
    await expect(verbs.rollback(askedBy(BOB), 'production', 9)).rejects.toMatchObject({ code: 'UNKNOWN_RELEASE' });
    await verbs.freeze(askedBy(ALICE), 'production', '');
    await expect(verbs.rollback(askedBy(BOB), 'production', null)).rejects.toMatchObject({ code: 'FROZEN' });
    expect((await namespaces.get('production')).held).toBe(null);
    expect(await liveN()).toBe(2);
  });

  it('that fails leaves the hold that was there before', async () => {
    lab.machine.failing.set('web.0', 'NEVER_READY');
    await expect(verbs.rollback(askedBy(BOB), 'production', null)).rejects.toThrow('NEVER_READY');
    expect((await namespaces.get('production')).held).toBe(null);
    expect(await liveN()).toBe(2);
  });

  it('waits for an approval by another where plans are approved', async () => {
    const back = () => verbs.rollback(askedBy(BOB, APPROVED), 'production', null);
    await expect(back()).rejects.toThrow('/slipway approve');
    const [pending] = await agreements.pending('production');
    const approve = (user: ForgeUser) => verbs.approve(askedBy(user, APPROVED), pending?.plan ?? '');
    await expect(approve(BOB)).rejects.toThrow('asked for it');
    // Asking again does not make somebody else its author.
    await expect(
      verbs.rollback(askedBy({ ...BOB, id: 99, login: 'eve' }, APPROVED), 'production', null),
    ).rejects.toThrow('/slipway approve');
    await expect(approve(BOB)).rejects.toThrow('asked for it');
    const dana = { id: 14, login: 'dana', bot: false };
    forge.permissions.set('dana', 'admin');
    await approve(dana);
    expect(await back()).toContain('release #3 is live');
    expect((await lab.deploys.list('production')).at(-1)?.agreements).toMatchObject([{ by: 'github/dana' }]);
  });
});

describe('/slipway freeze and unfreeze', () => {
  it('hold a namespace still, say who did, and let it go', async () => {
    const said = await verbs.freeze(askedBy(BOB), 'production', '[click](http://evil) @everybody');
    expect(said).not.toContain('evil');
    expect(await freezes().holding('production')).toMatchObject({
      by: 'github/bob',
      why: '[click](http://evil) @everybody',
    });
    expect(await verbs.unfreeze(askedBy(BOB), 'production')).toBe('production is no longer frozen.');
    expect(await freezes().holding('production')).toBe(null);
    expect(await verbs.unfreeze(askedBy(BOB), 'production')).toContain('no freeze of its own');
  });

  it('leave a freeze of everything alone', async () => {
    await freezes().set({ scope: '*', by: 'cli/ops', why: 'a move', at: '2026-01-01T00:00:00.000Z', until: null });
    expect(await verbs.unfreeze(askedBy(BOB), 'production')).toContain('Everything is frozen still');
    expect(await freezes().holding('production')).not.toBe(null);
  });
});
