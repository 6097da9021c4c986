import { beforeEach, describe, expect, it } from 'vitest';
import type { ApproverRule } from '../../../controller/consent/approvers.ts';
import { isAtLeast, namedIn } from '../../../controller/consent/approvers.ts';
import { createForgeCheck, type Origin } from '../../../controller/consent/forge-check.ts';
import type { Consent } from '../../../schemas/consent.ts';
import type { ForgeUser, Permission } from '../../../schemas/forge.ts';
import { ALICE, BOB, createFakeForge, type FakeForge } from '../../fakes/forge.ts';

const never = new AbortController().signal;
const PLAN = { id: 'a'.repeat(64), namespace: 'production', basis: { release: 1, desiredDigest: 'b'.repeat(64) } };
let forge: FakeForge;
let rule: ApproverRule | null;
let origins: Origin[];
let askedBy: number | null;

const check = () =>
  createForgeCheck({
    forge,
    rule: async () => rule,
    origins: async () => origins,
    askedBy: async () => askedBy,
  });
/** An approval that the user wrote in pull request 1 just now. */
function approval(user: ForgeUser = BOB): Consent {
  const comment = forge.comment(1, user, '/slipway approve').id;
  const given = { kind: 'approval' as const, plan: PLAN.id, namespace: 'production', release: 1, why: '', used: null };
  return {
    ...given,
    by: `github/${user.login}`,
    at: '2026-01-01T00:00:00.000Z',
    forge: { login: user.login, userId: user.id, pull: 1, comment },
  };
}
const ask = async (consent = approval()) => await check()(consent, PLAN, never);

beforeEach(() => {
  forge = createFakeForge();
  forge.open({ number: 1, author: ALICE });
  forge.permissions.set('alice', 'admin').set('bob', 'admin');
  rule = { approvers: [], self: false, roles: ['admin'] };
  origins = [];
  askedBy = null;
});

describe('an approval given in a pull request', () => {
  it('is good while its author may approve and nobody asks for changes', async () => {
    expect(await ask()).toBe(null);
  });

  it('by an operator key needs no look at the forge', async () => {
    const { forge: _, ...byKey } = approval();
    expect(await ask(byKey)).toBe(null);
    expect(forge.calls).toEqual([]);
  });

  it.each(['none', 'read', 'triage', 'write', 'maintain'] as Permission[])(
    'is not good once its author has only the permission %s',
    async (permission) => {
      const consent = approval();
      expect(await ask(consent)).toBe(null);
      forge.permissions.set('bob', permission);
      expect(await ask(consent)).toContain(`this is ${permission}`);
    },
  );

  it('is not good for the author of the pull request, also under another login', async () => {
    expect(await ask(approval(ALICE))).toContain('author of pull request #1');
    forge.permissions.set('alice2', 'admin');
    expect(await ask(approval({ ...ALICE, login: 'alice2' }))).toContain('author of pull request #1');
    rule = { approvers: [], self: true, roles: ['admin'] };
    expect(await ask(approval(ALICE))).toBe(null);
  });

  it('is not good for the author of another pull request that the plan came from', async () => {
    origins = [{ number: 2, author: BOB }];
    expect(await ask()).toContain('author of pull request #2');
  });

  it('is not good for whoever asked for the plan', async () => {
    askedBy = BOB.id;
    expect(await ask()).toContain('asked for it');
  });

  it('is not good while somebody asks for changes, there or where the plan came from', async () => {
    forge.open({ number: 2 });
    origins = [{ number: 2, author: ALICE }];
    const consent = approval();
    for (const number of [1, 2]) {
      forge.asked.set(number, [ALICE]);
      expect(await ask(consent)).toContain(`alice asks for changes in pull request #${number}`);
      forge.asked.delete(number);
    }
    expect(await ask(consent)).toBe(null);
  });

  it('is not that of somebody for whom we opened the pull request', async () => {
    origins = [{ number: 2, author: { id: 1, login: 'slipway[bot]', bot: true }, askedBy: [BOB.id] }];
    expect(await ask()).toContain('github/bob asked for pull request #2');
    rule = { approvers: [], self: true, roles: ['admin'] };
    expect(await ask()).toBe(null);
  });

  it('is not good once its comment is gone, edited or another’s', async () => {
    const edited = approval();
    forge.editComment(edited.forge?.comment ?? 0, 'no, wait');
    expect(await ask(edited)).toContain('was edited');
    const gone = approval();
    forge.deleteComment(gone.forge?.comment ?? 0);
    expect(await ask(gone)).toContain('is gone');
    const anothers = approval(ALICE);
    const said = { login: 'bob', userId: BOB.id, pull: 1, comment: anothers.forge?.comment ?? 0 };
    expect(await ask({ ...anothers, forge: said })).toContain('no longer');
    expect(
      await ask({ ...approval(), forge: { ...said, comment: approval().forge?.comment ?? 0, pull: 3 } }),
    ).toContain('is gone');
  });

  it('is held against who its author is now, when somebody else took the login', async () => {
    const consent = approval();
    const id = consent.forge?.comment ?? 0;
    const comment = forge.comments.get(id);
    if (comment !== undefined) forge.comments.set(id, { ...comment, author: { ...BOB, login: 'bob-moved' } });
    // `bob` is an admin of the same name by now.
    expect(await ask(consent)).toContain('this is none');
  });

  it.each(['getComment', 'getPull', 'permission', 'changeRequests'] as const)(
    'is not taken for good when %s fails',
    async (verb) => {
      const consent = approval();
      forge.failing.set(verb, 'FORGE_UNAVAILABLE');
      await expect(ask(consent)).rejects.toMatchObject({ code: 'FORGE_UNAVAILABLE' });
    },
  );

  it('is not taken for good while nobody read the settings', async () => {
    rule = null;
    await expect(ask()).rejects.toMatchObject({ code: 'FORGE_UNAVAILABLE' });
  });
});

describe('where settings name approvers', () => {
  it.each([
    [['@bob'], null],
    [['BOB'], null],
    [['@acme/ops'], null],
    [['acme/ops'], null],
    [['@carol', '@acme/ops'], null],
    [['@carol'], '@carol'],
    [['@acme/dev'], '@acme/dev'],
    [['@bob/bob'], '@bob/bob'],
  ])('%j is held against login and teams', async (approvers, named) => {
    rule = { approvers, self: false, roles: ['admin'] };
    forge.permissions.set('bob', 'write');
    forge.teams.set('@acme/ops', new Set(['bob']));
    const why = `github/bob may not agree to it: [approvals] of slipway.toml names ${named ?? ''}.`;
    expect(await ask()).toBe(named === null ? null : why);
  });

  it('a name outlives the right to write, and is not enough', async () => {
    rule = { approvers: ['@bob'], self: false, roles: ['read'] };
    forge.permissions.set('bob', 'read');
    expect(await ask()).toContain('this is read');
  });

  it('a team that cannot be looked at lets nobody pass', async () => {
    rule = { approvers: ['@acme/ops'], self: false, roles: [] };
    forge.failing.set('isMember', 'FORGE_INVALID');
    await expect(ask()).rejects.toMatchObject({ code: 'FORGE_INVALID' });
  });
});

it('a permission is at least each lesser one, and none is at least nothing', () => {
  expect(isAtLeast('admin', ['write'])).toBe(true);
  expect(isAtLeast('triage', ['write'])).toBe(false);
  expect(isAtLeast('write', ['admin', 'write'])).toBe(true);
  expect(isAtLeast('admin', [])).toBe(false);
  expect(isAtLeast('none', ['none'])).toBe(false);
  expect(namedIn(['@Acme/Ops', '@Bob', 'carol'])).toEqual({ teams: ['@Acme/Ops'], logins: ['bob', 'carol'] });
});
