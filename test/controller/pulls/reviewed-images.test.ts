/** The image that people saw in the pull request that was merged runs, whatever other pull requests say and tags mean. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ServiceSpec } from '../../../schemas/service.ts';
import { BOB } from '../../fakes/forge.ts';
import { createDeskLab, type DeskLab, manifest } from './lab.ts';

const FILE = 'namespaces/staging.json';
const FORK = { author: BOB, headRepositoryId: 99 };
const version = (it: string) => ({ [FILE]: manifest('staging', '1').replace('web:1', `web:${it}`) });

let lab: DeskLab;
beforeEach(async () => {
  lab = await createDeskLab();
  await lab.commit('main', version('1'));
  await lab.follow();
  await lab.later(async () => {
    if ((await lab.store.log.live('staging')) === null) throw new Error('not live yet');
  });
});
afterEach(async () => await lab.close());

/** The image string of what is live, and what it meant. */
async function running(): Promise<string> {
  const digest = (await lab.store.log.live('staging'))?.services['web'] ?? '';
  const { imageName, template } = ServiceSpec.parse(await lab.store.specs.get(digest));
  return `${imageName} ${'localId' in template.image ? template.image.localId.slice(7, 8) : ''}`;
}

async function openAt(tag: string, branch: string, args = {}): Promise<number> {
  lab.tag = tag;
  const { number } = await lab.open(branch, version('2'), args);
  await lab.look(number);
  return number;
}

async function mergeAt(tag: string, number: number): Promise<void> {
  lab.tag = tag;
  await lab.merge(number);
  await lab.follow();
}

it('an image that a stranger was shown for the same change earlier does not run for the pull request that is merged', async () => {
  const strangers = await openAt('a', 'strange', FORK);
  const number = await openAt('b', 'change');
  // Shown last, and still another's.
  await lab.look(strangers);
  expect(lab.body(number, 'staging')).toContain('bbbbbb');
  expect(lab.body(number, 'staging')).not.toContain('aaaaaa');
  await mergeAt('d', number);
  await lab.later(async () => expect(await running()).toBe('web:2 b'));
});

it('an image that a stranger was shown does not run when somebody pushes the same change', async () => {
  await openAt('a', 'strange', FORK);
  lab.tag = 'b';
  await lab.commit('main', version('2'));
  await lab.follow();
  await lab.later(async () => expect(await running()).toBe('web:2 b'));
});

it('of two pull requests that say the same, that which was merged says what runs, though the tag moved since', async () => {
  const first = await openAt('a', 'first');
  const second = await openAt('b', 'second');
  await lab.look(first);
  await mergeAt('d', second);
  await lab.later(async () => expect(await running()).toBe('web:2 b'));
});

it('the reviewed image of a merged pull request of a stranger runs', async () => {
  const number = await openAt('a', 'strange', FORK);
  await mergeAt('b', number);
  await lab.later(async () => expect(await running()).toBe('web:2 a'));
});

it('what a tag meant when it was live before is not taken when git goes back to it without a pull request', async () => {
  await mergeAt('a', await openAt('a', 'change'));
  await lab.later(async () => expect(await running()).toBe('web:2 a'));
  lab.tag = 'b';
  for (const it of ['1', '2']) {
    await lab.commit('main', version(it));
    await lab.follow();
    await lab.later(async () => expect(await running()).toBe(`web:${it} b`));
  }
});

it('nothing is deployed while nobody can say which of two differing pull requests was merged, and then it is', async () => {
  await openAt('a', 'strange', FORK);
  const number = await openAt('b', 'change');
  lab.forge.failing.set('getPull', 'FORGE_UNAVAILABLE');
  await mergeAt('d', number);
  await lab.later(async () => expect((await lab.namespaces.get('staging')).failed?.code).toBe('FORGE_UNAVAILABLE'));
  lab.forge.failing.clear();
  lab.loop.poke('staging');
  await lab.later(async () => expect(await running()).toBe('web:2 b'));
});
