/** The forge in memory keeps the port's promises, so that tests that stand on it say something. */
import { expect, test } from 'vitest';
import { ALICE, createFakeForge } from '../../fakes/forge.ts';

const never = new AbortController().signal;

test('a comment of ours is made once, edited in place, left alone when it is the same, and made again when deleted', async () => {
  const forge = createFakeForge();
  const { number } = forge.open();
  forge.comment(number, ALICE, '<!-- m --> a person may write the marker too');
  const say = async (body: string) =>
    await forge.ensureComment({ pull: number, marker: '<!-- m -->', body, known: null }, never);
  const first = await say('<!-- m --> one');
  expect((await say('<!-- m --> one')).id).toBe(first.id);
  expect((await say('<!-- m --> two')).id).toBe(first.id);
  expect(forge.writes).toEqual(['comment 1', 'comment 1']);
  forge.deleteComment(first.id);
  expect((await say('<!-- m --> two')).id).not.toBe(first.id);
  expect(forge.ours(number)).toHaveLength(1);
});

test('closed pull requests are listed only while they are newer than asked for, open ones always', async () => {
  const forge = createFakeForge();
  forge.open();
  forge.open();
  const before = forge.close(1).updatedAt;
  const after = forge.push(2).updatedAt;
  expect((await forge.listPulls(null, never)).map((it) => it.number)).toEqual([2]);
  expect((await forge.listPulls(before, never)).map((it) => it.number)).toEqual([1, 2]);
  expect((await forge.listPulls(after, never)).map((it) => it.number)).toEqual([2]);
});

test('it fails as told', async () => {
  const forge = createFakeForge();
  forge.failing.set('getPull', 'FORGE_UNAVAILABLE');
  await expect(forge.getPull(1, never)).rejects.toMatchObject({ code: 'FORGE_UNAVAILABLE' });
});
