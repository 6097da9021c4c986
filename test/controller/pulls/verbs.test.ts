import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Asked } from '../../../controller/commands/verbs.ts';
import { createPullVerbs } from '../../../controller/pulls/verbs.ts';
import type { Pull } from '../../../schemas/forge.ts';
import { BOB } from '../../fakes/forge.ts';
import { createDeskLab, type DeskLab, manifest } from './lab.ts';

let lab: DeskLab;
beforeEach(async () => {
  lab = await createDeskLab();
  await lab.commit('main', {
    'slipway.toml': '[previews]\nsource = "staging"\n',
    'namespaces/staging.json': manifest('staging', '1'),
    'namespaces/production.json': manifest('production', '1'),
  });
  await lab.follow();
  await lab.later(async () => {
    if ((await lab.store.log.live('staging')) === null) throw new Error('not live yet');
  });
});
afterEach(async () => await lab.close());

const now = () => new Date().toISOString();
const verbs = () =>
  createPullVerbs({
    ...lab,
    now,
    landing: { ...lab, now: () => 1_000_000 } as Parameters<typeof createPullVerbs>[0]['landing'],
  });

function askedIn(pull: Pull): Asked {
  const settings = lab.desk.tip()?.settings;
  if (settings === undefined) throw new Error('no settings yet');
  return { pull, user: BOB, comment: 1, settings, signal: new AbortController().signal };
}

it('whoever asked for a promotion is remembered as one of its authors, also when asked again', async () => {
  const asked = askedIn(await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') }));
  for (let times = 0; times < 2; times++) await verbs().promote(asked, 'staging', 'production');
  const made = [...lab.forge.pulls.values()].find((it) => it.head.branch === 'slipway/promote-staging-to-production');
  expect((await lab.records.get(made?.number ?? 0))?.askedBy).toEqual([BOB.id]);
});

it('a head of a stranger that was allowed before anybody looked at it is allowed, and the next one is not', async () => {
  const first = await lab.open(
    'strange',
    { 'namespaces/staging.json': manifest('staging', '2') },
    { headRepositoryId: 9 },
  );
  await lab.look(first.number);
  await lab.push(first.number, { 'namespaces/staging.json': manifest('staging', '3') });
  const pull = lab.forge.pulls.get(first.number) as Pull;
  await verbs().preview(askedIn(pull), pull.head.revision);
  await lab.look(pull.number);
  expect((await lab.records.get(pull.number))?.allowedHead).toBe(pull.head.revision);
  await lab.push(pull.number, { 'namespaces/staging.json': manifest('staging', '4') });
  await lab.look(pull.number);
  expect((await lab.records.get(pull.number))?.allowedHead).toBe(null);
});
