/** One fetch a push, however many namespaces it changes: the desk and the follower over git by HTTP. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createDeskLab, type DeskLab, manifest } from '../../controller/pulls/lab.ts';

const NAMESPACES = Array.from({ length: 20 }, (_, index) => `n${index}`);

let lab: DeskLab;

beforeAll(async () => {
  lab = await createDeskLab({ git: 'http' });
  await lab.commit('main', files('1'));
  await lab.follow();
});
afterAll(() => lab.close());
beforeEach(() => {
  lab.requests.length = 0;
});

function files(version: string): Record<string, string> {
  return Object.fromEntries(NAMESPACES.map((it) => [`namespaces/${it}.json`, manifest(it, version)]));
}

/** Packs that were asked for. */
const fetches = () => lab.requests.filter((it) => it.startsWith('POST') && it.includes('git-upload-pack')).length;

it('a push to the tracked branch is fetched once, and looking again fetches nothing', async () => {
  await lab.commit('main', files('2'));
  await lab.follow();
  expect(fetches()).toBe(1);
  await lab.follow();
  expect(fetches()).toBe(1);
});

it('a push to a pull request is fetched once for all its comments, and looking again asks git for nothing', async () => {
  const { number } = await lab.open('change', files('3'));
  await lab.look(number);
  expect(lab.forge.ours(number)).toHaveLength(NAMESPACES.length);
  // The refs, which every fetch begins with, and the pack: the head is known, so that nobody asks for it.
  expect(lab.requests.map((it) => it.split(' ')[0])).toEqual(['GET', 'POST']);
  await lab.look(number);
  await lab.push(number, files('4'));
  await lab.look(number);
  expect(fetches()).toBe(2);
  expect(lab.body(number, 'n7')).toContain(lab.forge.pulls.get(number)?.head.revision.slice(0, 8));
  lab.requests.length = 0;
  await lab.look(number);
  expect(lab.requests).toEqual([]);
});

it('git is believed, whatever a head is expected to be', async () => {
  const { signal } = new AbortController();
  const { repository, repo } = lab;
  const main = await repository.tip(signal);
  const { number, head } = await lab.open('another', files('7'));
  const ref = `refs/pull/${number}/head`;
  expect(await repository.fetchRef(ref, signal, main)).toBe(head.revision);
  expect(await repository.fetchRef(ref, signal, '0'.repeat(40))).toBe(head.revision);
  // What a shorter name could be taken for.
  await repo.git(['update-ref', 'refs/heads/refs/pull/8/head', main]);
  expect(await repository.fetchRef('refs/pull/8/head', signal, head.revision)).toBeNull();
  expect(await repository.fetchRef('refs/pull/9/head', signal, main)).toBeNull();
});
