import { expect, it } from 'vitest';
import { originsOf } from '../../../controller/pulls/origins.ts';
import type { PullRecord } from '../../../schemas/forge.ts';
import { ALICE, revisionOf } from '../../fakes/forge.ts';

const PLAN = { id: 'a'.repeat(64), namespace: 'production', basis: { release: 1, desiredDigest: 'b'.repeat(64) } };
const OTHER = 'c'.repeat(64);
const AT = '2026-01-01T00:00:00.000Z';
const shown = (plan: string) => ({
  plan,
  head: revisionOf('h'),
  base: revisionOf('b'),
  release: 1,
  verdict: '',
  at: AT,
});
const COMMENT = { id: 1, url: '', bodyDigest: '' };
function record(state: PullRecord['state'], own: Partial<PullRecord['namespaces'][string]> | null): PullRecord {
  const said = { comment: COMMENT, status: null, plans: [shown(OTHER)], desiredDigest: OTHER, ...own };
  return {
    number: 1,
    author: ALICE,
    state,
    head: revisionOf('h'),
    mergeCommit: state === 'merged' || state === 'done' ? revisionOf('m') : null,
    namespaces: own === null ? { staging: said } : { production: said },
    allowedHead: null,
    previewStopped: false,
    command: null,
    pushedAt: AT,
  };
}

it.each([
  ['one that shows the plan', record('open', { plans: [shown(PLAN.id)] }), true],
  ['one that showed it before', record('open', { plans: [shown(PLAN.id), shown(OTHER)] }), true],
  ['one whose merge result is what the plan makes', record('open', { desiredDigest: PLAN.basis.desiredDigest }), true],
  ['one about something else', record('open', {}), false],
  ['one about another namespace', record('open', null), false],
  ['one that was merged and is not carried out yet', record('merged', {}), true],
  ['one that was merged and left the namespace alone', record('merged', { comment: null }), false],
  ['one that was merged and is over', record('done', {}), false],
  ['one that was merged, is over, and showed it', record('done', { plans: [shown(PLAN.id)] }), true],
  ['one that was closed', record('closed', { plans: [shown(PLAN.id)] }), false],
  ['one that was closed and is over', { ...record('done', { plans: [shown(PLAN.id)] }), mergeCommit: null }, false],
])('%s: is where a plan of git comes from, %s', async (_, of, is) => {
  const found = await originsOf({ list: async () => [of] }, PLAN, { fromGit: true });
  expect(found).toEqual(is ? [{ number: 1, author: ALICE, askedBy: [] }] : []);
});

it('a rollback does not come from what was just merged', async () => {
  const list = async () => [record('merged', {})];
  expect(await originsOf({ list }, PLAN, { fromGit: false })).toEqual([]);
});
