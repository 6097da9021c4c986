import { beforeEach, describe, expect, it } from 'vitest';
import { type Commands, createCommands } from '../../../controller/commands/take.ts';
import type { CommandVerbs } from '../../../controller/commands/verbs.ts';
import { SlipwayError } from '../../../schemas/errors.ts';
import type { Permission } from '../../../schemas/forge.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { createMemoryStore } from '../../../store/memory.ts';
import type { Bucket } from '../../../store/port.ts';
import { ALICE, BOT, createFakeForge, type FakeForge } from '../../fakes/forge.ts';
import { settingsOf } from '../manifest/fleet.ts';

const never = new AbortController().signal;
let forge: FakeForge;
let bucket: Bucket;
let nowMs: number;
/** Verbs that were carried out, with what they were given. */
let done: string[];
let slow: Promise<void> | null;
let failure: Error | null;
let onVerb: () => void;

const verb =
  (name: string) =>
  async (_: unknown, ...args: unknown[]): Promise<string> => {
    done.push([name, ...args].join(' '));
    onVerb();
    if (slow !== null) await slow;
    if (failure !== null) throw failure;
    return `${name} is done`;
  };
const verbs = Object.fromEntries(
  ['plan', 'preview', 'destroy', 'approve', 'promote', 'rollback', 'freeze', 'unfreeze'].map((it) => [it, verb(it)]),
) as unknown as CommandVerbs;

function commandsOf(owner = 'one', more: Partial<Parameters<typeof createCommands>[0]> = {}): Commands {
  return createCommands({
    forge,
    bucket,
    verbs,
    settings: () => settingsOf('[roles]\ndeploy = ["maintain"]\npreview = ["write"]\n'),
    owner,
    clock: { now: () => nowMs, sleep: async () => {} },
    log: silentLogger,
    ...more,
  });
}
const write = (body: string, author = ALICE) => forge.comment(1, author, body).id;

beforeEach(() => {
  forge = createFakeForge();
  bucket = createMemoryStore({ clock: { now: () => 0 }, log: silentLogger }).bucket('commands');
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  done = [];
  slow = null;
  failure = null;
  onVerb = () => {};
  forge.open({ number: 1 });
  forge.permissions.set(ALICE.login, 'admin');
});

describe('a command in a comment', () => {
  it('is seen, carried out and answered', async () => {
    const id = write('/slipway rollback production 3');
    expect(await commandsOf().take(id, never)).toEqual({
      pull: 1,
      result: {
        by: 'github/alice',
        command: 'rollback production 3',
        ok: true,
        text: 'rollback is done',
        at: '2026-01-01T00:00:00.000Z',
      },
    });
    expect(done).toEqual(['rollback production 3']);
    expect(forge.reactions.get(id)).toEqual(['seen', 'done']);
  });

  it('is seen before anything that lasts: after two calls to the forge', async () => {
    const id = write('/slipway plan');
    await commandsOf().take(id, never);
    expect(forge.calls.slice(0, 3)).toEqual(['getComment', 'identity', 'react']);
  });

  it('is carried out once, however often and by however many it is told', async () => {
    const id = write('/slipway plan');
    const [one, two] = [commandsOf('one'), commandsOf('two')];
    const answers = await Promise.all([one.take(id, never), one.take(id, never), two.take(id, never)]);
    expect(answers.filter((it) => it?.result.ok === true)).toHaveLength(done.length);
    for (const commands of [one, two, commandsOf('three')]) expect(await commands.take(id, never)).toBe(null);
    expect(done).toEqual(['plan']);
  });

  it('that its controller did not end is said to be interrupted, once, and never run again', async () => {
    const id = write('/slipway rollback production');
    slow = new Promise(() => {});
    void commandsOf('dead').take(id, never);
    await expect.poll(() => done).toEqual(['rollback production ']);
    slow = null;
    const next = commandsOf('next');
    const [answer] = await next.interrupted(never);
    expect(answer).toMatchObject({ pull: 1, result: { ok: false, command: 'rollback production' } });
    expect(answer?.result.text).toContain('write it again');
    expect(await next.interrupted(never)).toEqual([]);
    expect(await next.take(id, never)).toBe(null);
    expect(done).toHaveLength(1);
    expect(forge.reactions.get(id)).toEqual(['seen', 'failed']);
  });

  it('that is told again after a restart is said to be interrupted as well', async () => {
    const id = write('/slipway plan');
    slow = new Promise(() => {});
    const dead = commandsOf('dead');
    void dead.take(id, never);
    await expect.poll(() => done).toHaveLength(1);
    // Its own controller is still at it.
    expect(await dead.take(id, never)).toBe(null);
    expect((await commandsOf('next').take(id, never))?.result.text).toContain('interrupted');
  });

  it('of an end of our own is left to the next term', async () => {
    const stop = new AbortController();
    const id = write('/slipway plan');
    failure = new Error('cut off');
    onVerb = () => stop.abort();
    expect(await commandsOf('one').take(id, stop.signal)).toBe(null);
    expect(await commandsOf('two').interrupted(never)).toHaveLength(1);
  });

  it.each([
    ['a bot', () => write('/slipway plan', { id: 99, login: 'dependabot[bot]', bot: true })],
    ['ourselves', () => write('/slipway plan', { ...BOT, bot: false })],
    ['somebody who edited it into one', () => forge.editComment(write('nice work'), '/slipway plan').id],
    [
      'somebody who deleted it',
      () => {
        const id = write('/slipway plan');
        forge.deleteComment(id);
        return id;
      },
    ],
    ['nobody: it is no command', () => write('> /slipway plan')],
  ])('of %s is ignored', async (_, make) => {
    const id = make();
    expect(await commandsOf().take(id, never)).toBe(null);
    expect(done).toEqual([]);
    expect(forge.writes).toEqual([]);
  });

  it('with a mistake is answered with what was meant, and does nothing', async () => {
    const answer = await commandsOf().take(write('/slipway rolback'), never);
    expect(answer?.result).toMatchObject({ ok: false, command: '' });
    expect(answer?.result.text).toContain('/slipway rollback');
    expect(done).toEqual([]);
  });

  it.each([['closed', () => forge.close(1), 'closed without a merge']])(
    'in a pull request %s is refused',
    async (_, act, words) => {
      act();
      const answer = await commandsOf().take(write('/slipway plan'), never);
      expect(answer?.result.text).toContain(words);
      expect(done).toEqual([]);
    },
  );

  it('is taken in a merged pull request', async () => {
    forge.merge(1);
    expect((await commandsOf().take(write('/slipway approve 1a2b3c4d5e6f'), never))?.result.ok).toBe(true);
  });

  it.each([
    ['plan', 'read', true],
    ['help', 'read', true],
    ['preview', 'write', true],
    ['preview', 'triage', false],
    ['destroy', 'read', false],
    ['promote staging production', 'write', false],
    ['promote staging production', 'maintain', true],
    ['rollback', 'write', false],
    ['freeze', 'admin', true],
    ['freeze', 'read', false],
    ['unfreeze', 'write', false],
  ] as [string, Permission, boolean][])('"%s" by somebody with the permission %s: %s', async (text, permission, ok) => {
    forge.permissions.set(ALICE.login, permission);
    const answer = await commandsOf().take(write(`/slipway ${text}`), never);
    expect(answer?.result.ok).toBe(ok);
    expect(answer?.result.text.includes('takes the permission')).toBe(!ok);
    expect(done).toHaveLength(ok && text !== 'help' ? 1 : 0);
  });

  it('of a stranger gets a reaction, and no line in our comment', async () => {
    forge.permissions.delete(ALICE.login);
    for (const text of ['plan', 'rollbak']) {
      const id = write(`/slipway ${text}`);
      expect(await commandsOf().take(id, never)).toBe(null);
      expect(forge.reactions.get(id)).toEqual(['seen', 'failed']);
    }
    expect(done).toEqual([]);
  });

  it('is refused when nobody can say what its author may do', async () => {
    forge.failing.set('permission', 'FORGE_UNAVAILABLE');
    const id = write('/slipway freeze');
    expect((await commandsOf().take(id, never))?.result).toMatchObject({ ok: false });
    expect(done).toEqual([]);
    expect(forge.reactions.get(id)).toEqual(['seen', 'failed']);
  });

  it('that fails says why; what is nobody else’s business is in the log only', async () => {
    failure = new SlipwayError('UNKNOWN_RELEASE', 'production has no release #9');
    expect((await commandsOf().take(write('/slipway rollback'), never))?.result.text).toBe(
      'UNKNOWN_RELEASE: production has no release #9',
    );
    failure = new Error('password hunter2');
    expect((await commandsOf().take(write('/slipway rollback'), never))?.result.text).not.toContain('hunter2');
  });

  it('is carried out although the forge takes no reaction', async () => {
    forge.failing.set('react', 'FORGE_REFUSED');
    expect((await commandsOf().take(write('/slipway plan'), never))?.result.ok).toBe(true);
  });

  it('is not claimed while the forge cannot be read: the caller comes again', async () => {
    const id = write('/slipway plan');
    forge.failing.set('getComment', 'FORGE_UNAVAILABLE');
    await expect(commandsOf().take(id, never)).rejects.toMatchObject({ code: 'FORGE_UNAVAILABLE' });
    forge.failing.clear();
    expect((await commandsOf().take(id, never))?.result.ok).toBe(true);
  });

  it('one of a thousand in a minute is ignored beyond the twentieth, and others are not kept waiting', async () => {
    const commands = commandsOf();
    for (let i = 0; i < 1_000; i++) await commands.take(write('/slipway help'), never);
    expect([...forge.reactions.values()].filter((it) => it.includes('done'))).toHaveLength(20);
    const bob = { id: 12, login: 'bob', bot: false };
    forge.permissions.set('bob', 'read');
    expect((await commands.take(write('/slipway plan', bob), never))?.result.ok).toBe(true);
    nowMs += 61_000;
    expect((await commands.take(write('/slipway plan'), never))?.result.ok).toBe(true);
  });
});
