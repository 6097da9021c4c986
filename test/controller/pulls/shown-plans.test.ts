import { beforeEach, expect, it } from 'vitest';
import { createAgreements } from '../../../controller/consent/agreements.ts';
import { changedSinceAgreed } from '../../../controller/pulls/changed-since.ts';
import { keepShownPlan, readShownPlan, showingsOf } from '../../../controller/pulls/shown-plans.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { createMemoryStore } from '../../../store/memory.ts';
import type { Bucket, Store } from '../../../store/port.ts';
import { planOf } from '../../builders/plan.ts';
import { serviceSpec } from '../../builders/service.ts';

let store: Store;
let pulls: Bucket;
beforeEach(() => {
  store = createMemoryStore({ clock: { now: () => 0 }, log: silentLogger });
  pulls = store.bucket('pulls');
});
const planWith = (V: string) => planOf({ services: [serviceSpec({ template: { env: { V } } })] });

it('a plan that was shown is read by its id, whole, and no other is', async () => {
  const plan = planWith('1');
  await keepShownPlan(pulls, plan, 'git');
  expect(await readShownPlan(pulls, 'production', plan.id)).toEqual(plan);
  expect(await readShownPlan(pulls, 'staging', plan.id)).toBe(null);
  expect(await readShownPlan(pulls, 'production', '0'.repeat(64))).toBe(null);
});

it('a plan of two hundred services fits a message', async () => {
  const services = Array.from({ length: 200 }, (_, i) =>
    serviceSpec({ name: `s${i}`, template: { env: { V: 'x'.repeat(200), W: String(Math.sin(i)) } } }),
  );
  const plan = planOf({ services });
  await keepShownPlan(pulls, plan, 'git');
  const size = JSON.stringify((await pulls.get(['plan', 'production', plan.id]))?.value).length;
  expect(size).toBeLessThan(200_000);
});

it('the newest two hundred are kept, and one that is shown again counts as new', async () => {
  const first = planWith('first');
  await keepShownPlan(pulls, first, 'git');
  const others = Array.from({ length: 200 }, (_, i) => planWith(String(i)));
  for (const plan of others.slice(0, 100)) await keepShownPlan(pulls, plan, 'git');
  await keepShownPlan(pulls, first, 'git');
  for (const plan of others.slice(100)) await keepShownPlan(pulls, plan, 'git');
  expect(await pulls.list(['plan', 'production'])).toHaveLength(200);
  expect(await readShownPlan(pulls, 'production', first.id)).toEqual(first);
  expect(await readShownPlan(pulls, 'production', others[0]?.id ?? '')).toBe(null);
});

it('a plan that is not the one that was agreed to says so, and what differs', async () => {
  const agreements = createAgreements({ bucket: store.bucket('consents') });
  const [approved, other] = [planWith('1'), planWith('2')];
  await keepShownPlan(pulls, approved, 'git');
  expect(await changedSinceAgreed({ agreements, pulls }, other)).toEqual([]);
  const given = { kind: 'approval' as const, namespace: 'production', by: 'github/bob', why: '', used: null };
  await agreements.give({ ...given, plan: approved.id, release: null, at: '2026-01-01T00:00:00.000Z' });
  expect(await changedSinceAgreed({ agreements, pulls }, other)).toEqual([
    `It is not plan ${approved.id.slice(0, 12)}, to which github/bob agreed.`,
    'Service web: env.V differs.',
  ]);
  expect(await changedSinceAgreed({ agreements, pulls }, approved)).toEqual([]);
});

it('strangers who push again and again make no other plan forgotten', async () => {
  const reviewed = planWith('reviewed');
  await keepShownPlan(pulls, reviewed, { pull: 1, fork: false });
  const others = Array.from({ length: 210 }, (_, i) => planWith(String(i)));
  for (const [i, plan] of others.entries()) await keepShownPlan(pulls, plan, { pull: 2 + (i % 26), fork: true });
  expect(await readShownPlan(pulls, 'production', reviewed.id)).toEqual(reviewed);
  expect(await pulls.list(['plan', 'production'])).toHaveLength(200);
});

it('a plan that two pull requests show is kept as long as one of them has it', async () => {
  const plan = planWith('both');
  await keepShownPlan(pulls, plan, { pull: 1, fork: false });
  await keepShownPlan(pulls, plan, { pull: 2, fork: false });
  for (let i = 0; i < 12; i++) await keepShownPlan(pulls, planWith(String(i)), { pull: 2, fork: false });
  expect(await readShownPlan(pulls, 'production', plan.id)).toEqual(plan);
  expect((await showingsOf(pulls, 'production', plan.basis.desiredDigest)).map((it) => it.in)).toContainEqual({
    pull: 1,
    fork: false,
  });
});
