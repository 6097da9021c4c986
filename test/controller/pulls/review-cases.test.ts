/** Bases that move, approvals around force-pushes, git that is away and a change of leaders, over the whole controller in memory. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ALICE, BOB } from '../../fakes/forge.ts';
import { type DeskLab, manifest } from './lab.ts';
import { createTermLab, later, staging, type TermLab } from './term-lab.ts';

let lab: DeskLab;
let begin: TermLab['begin'];
let live: TermLab['live'];
let liveAtFirst: TermLab['liveAtFirst'];
let recordOf: TermLab['recordOf'];
let settings: TermLab['settings'];
let version: TermLab['version'];
let close: TermLab['close'];

beforeEach(async () => {
  ({ lab, begin, live, liveAtFirst, recordOf, settings, version, close } = await createTermLab());
});
afterEach(async () => await close());

describe('a base', () => {
  it('that is another pull request’s branch shows both changes, and what is left once the first is merged', async () => {
    begin();
    await liveAtFirst();
    await lab.open('below', { 'namespaces/production.json': manifest('production', '2') });
    await lab.repo.git(['branch', 'above', 'below']);
    const head = await lab.commit('above', staging('2'));
    const { number } = lab.forge.open({ branch: 'above', head, base: 'below' });
    await lab.repo.git(['update-ref', `refs/pull/${number}/head`, head]);
    await later(() => expect(lab.body(number, 'production')).toContain('deploys nothing'));
    await lab.merge(1);
    const pull = lab.forge.pulls.get(number);
    if (pull !== undefined) lab.forge.edit(number, { base: { ...pull.base, branch: 'main' } });
    await later(() => expect(lab.body(number, 'staging')).toContain('✅ running'));
    await later(() => expect(lab.body(number, 'production')).toContain('no changes'));
    await later(() => expect(lab.body(number, 'staging')).not.toContain('deploys nothing'));
    expect(lab.forge.ours(number)).toHaveLength(2);
  });
});

describe('an approval', () => {
  const approved = async () => {
    await settings('[approvals.staging]\nrequired = true\n');
    begin();
    await later(async () => expect(await version('production')).toBe('1'));
    const { number } = await lab.open('change', staging('2'), { author: ALICE });
    await later(() => expect(lab.body(number, 'staging')).toContain('/slipway approve'));
    const plan = /slipway approve ([0-9a-f]{12})/.exec(lab.body(number, 'staging'))?.[1] ?? '';
    return { number, plan };
  };

  it('of a plan before a force-push is refused, and one after it does not let the other head run', async () => {
    const { number, plan } = await approved();
    await lab.repo.git(['branch', '-f', 'change', 'main']);
    await lab.push(number, staging('3'));
    await later(() => expect(lab.body(number, 'staging')).not.toContain(`approve ${plan}`));
    lab.forge.comment(number, BOB, `/slipway approve ${plan}`);
    await later(async () => expect((await recordOf(number))?.command?.ok).toBe(false));
    const now = /slipway approve ([0-9a-f]{12})/.exec(lab.body(number, 'staging'))?.[1] ?? '';
    lab.forge.comment(number, BOB, `/slipway approve ${now}`);
    await later(async () => expect((await recordOf(number))?.command).toMatchObject({ ok: true }));
    await lab.repo.git(['branch', '-f', 'change', 'main']);
    await lab.push(number, staging('4'));
    const pushed = lab.forge.pulls.get(number)?.head.revision.slice(0, 8);
    await later(() => expect(lab.body(number, 'staging')).toContain(pushed));
    await lab.merge(number);
    await later(async () => expect((await lab.namespaces.get('staging')).failed?.code).toBe('APPROVAL_NEEDED'));
    expect(await live('staging')).toBe(null);
  });

  it('is not for a merge into another branch', async () => {
    const { number, plan } = await approved();
    lab.forge.comment(number, BOB, `/slipway approve ${plan}`);
    await later(async () => expect((await recordOf(number))?.command?.ok).toBe(true));
    const pull = lab.forge.pulls.get(number);
    if (pull !== undefined) lab.forge.edit(number, { base: { ...pull.base, branch: 'feature' } });
    await later(() => expect(lab.body(number, 'staging')).toContain('deploys nothing'));
    lab.forge.merge(number);
    await later(async () => expect((await recordOf(number))?.state).toBe('done'));
    expect(lab.body(number, 'staging')).toContain('Merged into');
    expect(await live('staging')).toBe(null);
  });
});

describe('git', () => {
  it('that is behind or away removes nothing, and is made up for', async () => {
    begin();
    await liveAtFirst();
    const { number } = await lab.open('change', staging('2'));
    await later(async () => expect(await version('pr-1')).toBe('2'));
    await lab.repo.git(['update-ref', '-d', `refs/pull/${number}/head`]);
    const head = await lab.commit('change', staging('3'));
    lab.forge.push(number, head);
    const { rename } = await import('node:fs/promises');
    await rename(lab.repo.path, `${lab.repo.path}.away`);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await version('pr-1')).toBe('2');
    expect(lab.forge.ours(number)).toHaveLength(1);
    await rename(`${lab.repo.path}.away`, lab.repo.path);
    await lab.repo.git(['update-ref', `refs/pull/${number}/head`, head]);
    await later(async () => expect(await version('pr-1')).toBe('3'), 20_000);
  }, 30_000);
});

describe('two controllers', () => {
  it('of which one leads after the other make one comment and one preview, and run a command once', async () => {
    const first = begin();
    await liveAtFirst();
    const { number } = await lab.open('change', staging('2'));
    const asked = lab.forge.comment(number, ALICE, '/slipway freeze production');
    await later(() => expect(lab.forge.reactions.get(asked.id) ?? []).toContain('seen'));
    begin();
    await first.end();
    await later(async () => expect(await version('pr-1')).toBe('2'));
    await later(() => expect(lab.body(number, 'staging')).toContain('✅ running'));
    await later(() => expect(lab.forge.reactions.get(asked.id)).toHaveLength(2));
    expect(lab.forge.ours(number)).toHaveLength(1);
  });
});
