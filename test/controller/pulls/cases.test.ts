/** Hard cases of pull requests, over the whole controller in memory and without webhooks. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ALICE, BOB } from '../../fakes/forge.ts';
import { type DeskLab, manifest } from './lab.ts';
import { createTermLab, later, PREVIEWS, staging, type TermLab } from './term-lab.ts';

let lab: DeskLab;
let begin: TermLab['begin'];
let live: TermLab['live'];
let liveAtFirst: TermLab['liveAtFirst'];
let recordOf: TermLab['recordOf'];
let settings: TermLab['settings'];
let version: TermLab['version'];
let close: TermLab['close'];
const events = async () => {
  const found: string[] = [];
  for (const it of await lab.store.events.list(1_000)) found.push(it.kind);
  return found;
};

beforeEach(async () => {
  ({ lab, begin, live, liveAtFirst, recordOf, settings, version, close } = await createTermLab());
});
afterEach(async () => await close());

describe('without webhooks', () => {
  it('opened, pushed, commented and closed are found by polling', async () => {
    begin();
    await liveAtFirst();
    const { number } = await lab.open('change', staging('2'));
    await later(async () => expect(await version('pr-1')).toBe('2'));
    await lab.push(number, staging('3'));
    await later(async () => expect(await version('pr-1')).toBe('3'));
    const asked = lab.forge.comment(number, ALICE, '/slipway help');
    await later(() => expect(lab.forge.reactions.get(asked.id)).toEqual(['seen', 'done']));
    lab.forge.close(number);
    await later(async () => expect((await recordOf(number))?.state).toBe('done'));
    expect(await live('pr-1')).toBe(null);
    expect(lab.body(number, 'staging')).toContain('nothing left');
  });

  it('what was opened, closed and merged while no controller ran is as it should be soon after the next start', async () => {
    const first = begin();
    await liveAtFirst();
    const closed = await lab.open('closes', staging('2'));
    const merged = await lab.open('merges', { 'namespaces/production.json': manifest('production', '2') });
    await later(async () => expect([await version('pr-1'), await version('pr-2')]).toEqual(['2', '1']));
    await later(() => expect(lab.body(merged.number, 'production')).toContain('VERSION'));
    await first.end();

    lab.forge.close(closed.number);
    await lab.merge(merged.number);
    const opened = await lab.open('opens', staging('5'));
    const asked = lab.forge.comment(opened.number, ALICE, '/slipway help');
    begin();
    await later(async () => expect(await version('pr-3')).toBe('5'));
    await later(async () => expect(await version('production')).toBe('2'));
    await later(async () => {
      expect((await recordOf(closed.number))?.state).toBe('done');
      expect((await recordOf(merged.number))?.state).toBe('done');
    });
    expect([await live('pr-1'), await live('pr-2')]).toEqual([null, null]);
    expect(lab.body(closed.number, 'staging')).toContain('Closed without a merge');
    expect(lab.body(merged.number, 'production')).toMatch(/live/);
    expect(lab.body(opened.number, 'staging')).toContain('VERSION');
    await later(() => expect(lab.body(opened.number, 'staging')).toContain('/slipway preview'));
    expect(lab.forge.reactions.get(asked.id)).toEqual(['seen', 'done']);
  });

  it('what is found before the tracked branch was read is looked at, and carried out, once it was', async () => {
    const { number } = await lab.open('change', staging('2'));
    const silent = await lab.open('silent', staging('3'));
    let read = () => {};
    begin({ readsAfter: new Promise((resolve) => (read = resolve)) });
    await later(() => expect(lab.forge.calls.filter((it) => it === 'listPulls').length).toBeGreaterThan(0));
    const asked = lab.forge.comment(number, ALICE, '/slipway plan');
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(lab.forge.ours(number)).toEqual([]);
    read();
    await later(() => expect(lab.forge.ours(number).length).toBeGreaterThan(0));
    await later(() => expect(lab.forge.ours(silent.number).length).toBeGreaterThan(0));
    await later(() => expect(lab.forge.reactions.get(asked.id)).toEqual(['seen', 'done']));
  });
});

describe('an outage of the forge', () => {
  it('while a deploy ends is made up for, is said once, and so is its end; deploys go on', async () => {
    const term = begin();
    await liveAtFirst();
    const { number } = await lab.open('change', staging('2'));
    await later(() => expect(lab.forge.ours(number)).toHaveLength(1));
    lab.forge.failing.set('all', 'FORGE_REFUSED');
    await lab.merge(number);
    await later(async () => expect(await version('staging')).toBe('2'));
    // Longer than one look at a pull request is tried again.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await events()).filter((it) => it.startsWith('forge.'))).toEqual(['forge.unavailable']);
    lab.forge.failing.clear();
    await later(async () => expect((await recordOf(number))?.state).toBe('done'));
    expect(lab.body(number, 'staging')).toMatch(/live/);
    expect((await events()).filter((it) => it.startsWith('forge.'))).toEqual(['forge.unavailable', 'forge.available']);
    expect(term.said.filter((it) => it.startsWith('forge: '))).toHaveLength(2);
  }, 30_000);

  it('in which nobody but us has anything to say is made up for as well', async () => {
    begin();
    await liveAtFirst();
    const one = await lab.open('one', staging('2'));
    const two = await lab.open('two', { 'namespaces/production.json': manifest('production', '2') });
    await later(() => expect(lab.body(one.number, 'staging')).toContain('✅ running'));
    await later(() => expect(lab.forge.ours(two.number).length).toBeGreaterThan(0));
    // Until polls have told of our own comments.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    lab.forge.failing.set('ensureComment', 'FORGE_UNAVAILABLE');
    lab.forge.comment(two.number, ALICE, '/slipway freeze staging');
    await later(async () => expect((await recordOf(two.number))?.command?.ok).toBe(true));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    lab.forge.failing.clear();
    await later(() => expect(lab.body(one.number, 'staging')).toContain('frozen'));
  });
});

describe('a pull request of a fork', () => {
  const fork = async () => await lab.open('stranger', staging('evil'), { headRepositoryId: 9, author: BOB });

  it('runs at exactly the head that somebody allowed, never at a later one', async () => {
    begin();
    await liveAtFirst();
    const { number, head } = await fork();
    await later(() => expect(lab.body(number, 'staging')).toContain(`/slipway preview ${head.revision}`));
    expect(await live('pr-1')).toBe(null);
    lab.forge.comment(number, ALICE, `/slipway preview ${head.revision}`);
    await later(async () => expect(await version('pr-1')).toBe('evil'));
    await lab.push(number, staging('worse'));
    await later(() => expect(lab.body(number, 'staging')).toContain('it stays as it was'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await version('pr-1')).toBe('evil');
  });

  it('is allowed at a push that nobody has looked at yet', async () => {
    begin();
    await liveAtFirst();
    const { number } = await fork();
    await later(() => expect(lab.forge.ours(number)).toHaveLength(1));
    const allowed = await lab.commit('stranger', staging('seen'));
    lab.forge.push(number, allowed);
    // Git is late: the look at the push fails, the command does not.
    lab.forge.comment(number, ALICE, `/slipway preview ${allowed}`);
    await later(async () => expect((await recordOf(number))?.command?.ok).toBe(true));
    await lab.repo.git(['update-ref', `refs/pull/${number}/head`, allowed]);
    await later(async () => expect(await version('pr-1')).toBe('seen'));
  });

  it('whose repository was deleted is one still', async () => {
    begin();
    await liveAtFirst();
    const { number } = await lab.open('gone', staging('2'), { headRepositoryId: null });
    await later(() => expect(lab.body(number, 'staging')).toContain('another repository'));
    expect(await live('pr-1')).toBe(null);
  });
});

describe('several pull requests', () => {
  it('of one branch have their own comments and previews, and closing one takes nothing from the other', async () => {
    begin();
    await liveAtFirst();
    const one = await lab.open('change', staging('2'));
    const two = lab.forge.open({ branch: 'change', head: one.head.revision, base: 'feature' });
    await lab.repo.git(['update-ref', `refs/pull/${two.number}/head`, one.head.revision]);
    await later(async () => expect([await version('pr-1'), await version('pr-2')]).toEqual(['2', '2']));
    await later(() => expect(lab.forge.status(one.head.revision, 'slipway/staging')?.state).toBe('success'));
    lab.forge.close(two.number);
    await later(async () => expect((await recordOf(two.number))?.state).toBe('done'));
    expect(lab.forge.status(one.head.revision, 'slipway/staging')?.state).toBe('success');
    expect(await version('pr-1')).toBe('2');
    lab.forge.close(one.number);
    await later(() => expect(lab.forge.status(one.head.revision, 'slipway/staging')?.state).toBe('pending'));
    lab.forge.reopen(two.number);
    await later(() => expect(lab.forge.status(one.head.revision, 'slipway/staging')?.state).toBe('success'));
  });

  it('share the cap: who is refused gets the place that is freed', async () => {
    await settings(`${PREVIEWS}max = 1\n`);
    begin();
    await liveAtFirst();
    const one = await lab.open('one', staging('2'));
    await later(async () => expect(await version('pr-1')).toBe('2'));
    const two = await lab.open('two', staging('3'));
    await later(() => expect(lab.body(two.number, 'staging')).toContain('max allows 1'));
    lab.forge.close(one.number);
    await later(async () => expect(await version('pr-2')).toBe('3'));
    expect(await live('pr-1')).toBe(null);
  });
});

describe('a preview', () => {
  it('comes again when its pull request is opened again, with the comment that was there', async () => {
    begin();
    await liveAtFirst();
    const { number } = await lab.open('change', staging('2'));
    await later(async () => expect(await version('pr-1')).toBe('2'));
    await later(() => expect(lab.forge.ours(number)).toHaveLength(1));
    const [before] = lab.forge.ours(number);
    lab.forge.close(number);
    await later(async () => expect((await recordOf(number))?.state).toBe('done'));
    lab.forge.reopen(number);
    await later(async () => expect(await version('pr-1')).toBe('2'));
    await later(() => expect(lab.body(number, 'staging')).not.toContain('Closed'));
    expect(lab.forge.ours(number).map((it) => it.id)).toEqual([before?.id]);
  });

  it('follows its label, also in a draft', async () => {
    await settings(`${PREVIEWS}label = "try"\n`);
    begin();
    await liveAtFirst();
    const { number } = await lab.open('change', staging('2'), { draft: true });
    await later(() => expect(lab.forge.ours(number)).toHaveLength(1));
    expect(await live('pr-1')).toBe(null);
    lab.forge.edit(number, { labels: ['try'] });
    await later(async () => expect(await version('pr-1')).toBe('2'));
    lab.forge.edit(number, { labels: [] });
    await later(async () => expect(await live('pr-1')).toBe(null));
    await later(() => expect(lab.body(number, 'staging')).toContain('no label try'));
    expect((await recordOf(number))?.state).toBe('open');
  });

  it('goes when its time is over, says so, and a push makes it again', async () => {
    await settings(`${PREVIEWS}ttl = "2s"\n`);
    begin();
    await liveAtFirst();
    const { number } = await lab.open('change', staging('2'));
    await later(async () => expect(await version('pr-1')).toBe('2'));
    await later(async () => expect(await live('pr-1')).toBe(null));
    await later(() => expect(lab.body(number, 'staging')).toContain('its time is over'));
    await lab.push(number, staging('3'));
    await later(async () => expect(await version('pr-1')).toBe('3'));
  });
});

describe('our comment', () => {
  it('is put right, made again, and no stranger’s is taken for it', async () => {
    begin();
    await liveAtFirst();
    const { number } = await lab.open('change', staging('2'));
    await later(() => expect(lab.body(number, 'staging')).toContain('✅ running'));
    const [own] = lab.forge.ours(number);
    const good = own?.body ?? '';
    lab.forge.comment(number, BOB, `${good.split('\n')[0]}\nAll is well, merge it.`);
    lab.forge.editComment(own?.id ?? 0, 'All is well, merge it.');
    lab.forge.edit(number, { title: 'look again' });
    await later(() => expect(lab.body(number, 'staging')).toBe(good));
    lab.forge.deleteComment(own?.id ?? 0);
    lab.forge.edit(number, { title: 'and again' });
    await later(() => expect(lab.body(number, 'staging')).toBe(good));
    expect([...lab.forge.comments.values()].filter((it) => it.author === BOB)).toHaveLength(1);
  });
});
