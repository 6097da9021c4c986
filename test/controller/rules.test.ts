import { expect, it } from 'vitest';
import { approverRule, readRules, ruleFor, rulesOf, saveRules } from '../../controller/rules.ts';
import { silentLogger } from '../../schemas/logger.ts';
import { createMemoryStore } from '../../store/memory.ts';
import { settingsOf } from './manifest/fleet.ts';

const rules = rulesOf(
  settingsOf(`
[approvals.production]
required = true
[approvals.staging]
approvers = ["@acme/ops"]
[prune]
max_percent = 20
`),
);

it('rules say which namespaces want approvals, and how much may go', () => {
  expect(ruleFor(rules, 'production')).toEqual({ maxRemovePercent: 20, approvalRequired: true });
  expect(ruleFor(rules, 'staging')).toEqual({ maxRemovePercent: 20, approvalRequired: false });
  expect(ruleFor(rules, 'constructor')).toEqual({ maxRemovePercent: 20, approvalRequired: false });
});

it('rules are known while git is away, once somebody read them', async () => {
  const store = createMemoryStore({ clock: { now: () => 0 }, log: silentLogger });
  expect(await readRules(store.bucket('cluster'))).toBe(null);
  await saveRules(store.bucket('cluster'), rules);
  expect(await readRules(store.bucket('cluster'))).toEqual(rules);
});

it('rules say who may approve; where settings do not speak of approvals, also whoever wrote it', () => {
  const roles = ['admin'];
  expect(approverRule(rules, 'production')).toEqual({ approvers: [], self: false, roles });
  expect(approverRule(rules, 'staging')).toEqual({ approvers: ['@acme/ops'], self: false, roles });
  expect(approverRule(rules, 'constructor')).toEqual({ approvers: [], self: true, roles });
});

it('rules of before there were approvers are read, and name none', async () => {
  const store = createMemoryStore({ clock: { now: () => 0 }, log: silentLogger });
  await store.bucket('cluster').put(['rules'], { maxRemovePercent: 20, approvals: ['production'] });
  const old = await readRules(store.bucket('cluster'));
  expect(old).toEqual({ maxRemovePercent: 20, approvals: ['production'] });
  expect(old === null ? old : approverRule(old, 'production')).toBe(null);
});
