/** One fetch a push, however many namespaces it changes: the desk and the follower over git by HTTP. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDeskLab, type DeskLab, manifest } from '../../controller/pulls/lab.ts';

const NAMESPACES = Array.from({ length: 20 }, (_, index) => `n${index}`);

let lab: DeskLab;

beforeEach(async () => {
  lab = await createDeskLab({ git: 'http' });
  await lab.commit('main', files('1'));
  await lab.follow();
  lab.requests.length = 0;
});
afterEach(() => lab.close());

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
  const { number } = await lab.open('change', files('2'));
  await lab.look(number);
  expect(lab.forge.ours(number)).toHaveLength(NAMESPACES.length);
  expect(fetches()).toBe(1);
  await lab.look(number);
  await lab.push(number, files('3'));
  await lab.look(number);
  expect(fetches()).toBe(2);
  expect(lab.body(number, 'n7')).toContain(lab.forge.pulls.get(number)?.head.revision.slice(0, 8));
  lab.requests.length = 0;
  await lab.look(number);
  expect(lab.requests).toEqual([]);
});
