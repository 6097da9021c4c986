import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDeskLab, type DeskLab, manifest } from './lab.ts';

let lab: DeskLab;

const live = async (namespace: string) => (await lab.store.log.live(namespace))?.n ?? null;

beforeEach(async () => {
  lab = await createDeskLab();
  await lab.commit('main', {
    'slipway.toml': '[approvals.production]\nrequired = true\n',
    'namespaces/production.json': manifest('production', '1'),
    'namespaces/staging.json': manifest('staging', '1'),
  });
  await lab.follow();
  await lab.later(async () => {
    if ((await lab.store.log.live('staging')) === null) throw new Error('not live yet');
  });
});
afterEach(async () => await lab.close());

describe('an open pull request', () => {
  it('gets a comment for what it changes, a status for everything, and no second write', async () => {
    const { number, head } = await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') });
    await lab.look(number);
    expect(lab.forge.ours(number)).toHaveLength(1);
    expect(lab.body(number, 'staging')).toContain('VERSION');
    expect(lab.forge.status(head.revision, 'slipway/staging')?.state).toBe('success');
    expect(lab.forge.status(head.revision, 'slipway/production')).toMatchObject({ state: 'success', url: null });
    const writes = lab.forge.writes.length;
    await lab.look(number);
    expect(lab.forge.writes.slice(writes)).toEqual([]);
  });

  it('has its one comment edited by a push, and keeps the plan before', async () => {
    const { number } = await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') });
    await lab.look(number);
    const [first] = lab.forge.ours(number);
    await lab.push(number, { 'namespaces/staging.json': manifest('staging', '3') });
    await lab.look(number);
    const [second, ...rest] = lab.forge.ours(number);
    expect(rest).toEqual([]);
    expect(second?.id).toBe(first?.id);
    expect(second?.body).not.toBe(first?.body);
    const plans = (await lab.records.get(number))?.namespaces['staging']?.plans ?? [];
    expect(plans).toHaveLength(2);
    expect(new Set(plans.map((it) => it.plan)).size).toBe(2);
  });

  it('is planned again when the tracked branch moves', async () => {
    const { number } = await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') });
    await lab.look(number);
    const before = lab.body(number, 'staging');
    await lab.commit('main', { 'namespaces/production.json': manifest('production', '7') });
    expect(await lab.follow()).toEqual([number]);
    await lab.look(number);
    expect(lab.body(number, 'staging')).not.toBe(before);
    expect(lab.forge.ours(number)).toHaveLength(1);
  });

  it('that conflicts is told so, by name of the namespace', async () => {
    const { number, head } = await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') });
    await lab.commit('main', { 'namespaces/staging.json': manifest('staging', '3') });
    await lab.follow();
    await lab.look(number);
    expect(lab.body(number, 'staging')).toContain('conflict');
    expect(lab.forge.status(head.revision, 'slipway/staging')?.state).not.toBe('success');
    expect(await live('staging')).not.toBe(null);
  });

  it('is held to the settings of the tracked branch, whatever its own say', async () => {
    const { number } = await lab.open('change', {
      'slipway.toml': '[approvals.production]\nrequired = false\n',
      'namespaces/production.json': manifest('production', '2'),
    });
    await lab.look(number);
    const body = lab.body(number, 'production');
    expect(body).toContain('/slipway approve');
    expect(body).toContain('It changes slipway.toml');
  });

  it('with problems is told all of them, and what is fine is planned', async () => {
    const { number, head } = await lab.open('change', {
      'namespaces/production.json': manifest('production', '2', { typo: true, replicas: 'x' }),
      'namespaces/staging.json': manifest('staging', '2'),
    });
    await lab.look(number);
    expect(lab.body(number, 'production')).toContain('namespaces/production.json#L');
    expect(lab.body(number, 'staging')).toContain('VERSION');
    expect(lab.forge.status(head.revision, 'slipway/production')?.state).toBe('failure');
  });

  it('into another branch is planned, and told that merging it deploys nothing', async () => {
    const args = { base: 'feature' };
    const { number } = await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') }, args);
    await lab.look(number);
    expect(lab.body(number, 'staging')).toContain('deploys nothing');
  });

  it('of a fork says what it is not given', async () => {
    const args = { headRepositoryId: 9 };
    const { number } = await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') }, args);
    await lab.look(number);
    expect(lab.body(number, 'staging')).toContain('It comes from another repository');
  });

  it('whose comment was deleted gets it again', async () => {
    const { number } = await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') });
    await lab.look(number);
    lab.forge.deleteComment(lab.forge.ours(number)[0]?.id ?? 0);
    await lab.look(number);
    expect(lab.body(number, 'staging')).toContain('VERSION');
  });
});

describe('a merged pull request', () => {
  it.each(['merge', 'squash'] as const)('is followed to the release (%s)', async (how) => {
    const { number } = await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') });
    await lab.look(number);
    await lab.merge(number, how);
    await lab.look(number);
    expect((await lab.records.get(number))?.state).toBe('open');
    await lab.follow();
    await lab.later(async () => expect(await live('staging')).toBe(2));
    await lab.later(async () => {
      await lab.look(number);
      expect((await lab.records.get(number))?.state).toBe('done');
    });
    expect(lab.body(number, 'staging')).toMatch(/live/);
  });

  it('whose deploy fails says why', async () => {
    const { number, head } = await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') });
    await lab.look(number);
    lab.machine.failing.set('web.0', 'NEVER_READY');
    await lab.merge(number);
    await lab.follow();
    await lab.later(async () => expect((await lab.namespaces.get('staging')).failed?.code).toBe('NEVER_READY'));
    await lab.look(number);
    expect(lab.body(number, 'staging')).toContain('NEVER_READY');
    expect(lab.forge.status(head.revision, 'slipway/staging')?.state).toBe('failure');
  });

  it('that waits for an approval says the line that gives it', async () => {
    const { number } = await lab.open('change', { 'namespaces/production.json': manifest('production', '2') });
    await lab.look(number);
    await lab.merge(number);
    await lab.follow();
    await lab.later(async () => expect((await lab.namespaces.get('production')).failed?.code).toBe('APPROVAL_NEEDED'));
    await lab.look(number);
    expect(lab.body(number, 'production')).toContain('/slipway approve');
    expect(await live('production')).toBe(null);
  });
});

it('a closed pull request is over once its preview is gone', async () => {
  const { number } = await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') });
  await lab.look(number);
  lab.forge.close(number);
  await lab.look(number);
  expect((await lab.records.get(number))?.state).toBe('done');
  expect(lab.body(number, 'staging')).toContain('Closed without a merge');
});
