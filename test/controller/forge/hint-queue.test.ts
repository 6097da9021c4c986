/** Hints and the calls that come of them: together where they may be, apart where they must be. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHintQueue } from '../../../controller/forge/hint-queue.ts';
import { SlipwayError } from '../../../schemas/errors.ts';
import type { Hint } from '../../../schemas/forge.ts';
import { silentLogger } from '../../../schemas/logger.ts';

let stop: AbortController;
let calls: string[];
/** Calls under way, each with what lets it end. */
let open: Map<string, { succeed: () => void; fail: (error: Error) => void }>;

beforeEach(() => {
  stop = new AbortController();
  calls = [];
  open = new Map();
});
afterEach(() => stop.abort());

function queue(parallel = 2) {
  const call = async (name: string) => {
    calls.push(name);
    expect(open.has(name)).toBe(false);
    await new Promise<void>((succeed, fail) => open.set(name, { succeed, fail })).finally(() => open.delete(name));
  };
  return createHintQueue({
    handlers: {
      onPull: (number) => call(`pull ${number}`),
      onComment: (id, number) => call(`comment ${number}/${id}`),
      onPush: () => call('push'),
      onAll: () => call('all'),
    },
    log: silentLogger,
    signal: stop.signal,
    parallel,
    parallelComments: 1,
    retryMs: 5,
  });
}

const pull = (number: number): Hint => ({ kind: 'pull', number });
const comment = (number: number, id: number): Hint => ({ kind: 'comment', number, id });
const settled = async () => await sleep(2);
const end = async (...names: string[]) => {
  for (const name of names) open.get(name)?.succeed();
  await settled();
};

it('makes one call for all hints that wait, and one more for those that come during it', async () => {
  const hints = queue();
  const early = [hints.add(pull(7)), hints.add(pull(7))];
  await settled();
  const late = [1, 2, 3].map(() => hints.add(pull(7)));
  let lateDone = false;
  void late[0]?.then(() => (lateDone = true));
  await end('pull 7');
  await Promise.all(early);
  expect(lateDone).toBe(false);
  expect(calls).toEqual(['pull 7', 'pull 7']);
  await end('pull 7');
  await Promise.all(late);
  expect(calls).toHaveLength(2);
  expect(hints.size()).toBe(0);
});

it('calls for several pull requests at once, up to the limit, and comments do not wait for them', async () => {
  const hints = queue(2);
  for (const number of [1, 2, 3]) void hints.add(pull(number));
  void hints.add(comment(1, 90));
  void hints.add({ kind: 'push' });
  await settled();
  expect([...open.keys()].toSorted((a, b) => a.localeCompare(b))).toEqual(['comment 1/90', 'pull 1', 'pull 2']);
  await end('pull 2');
  expect(calls.slice(3)).toEqual(['pull 3']);
  await end('pull 1', 'pull 3');
  expect(calls.slice(4)).toEqual(['push']);
});

it('takes the comments of one pull request in their order, each once while it waits', async () => {
  const hints = queue();
  for (const id of [5, 3, 3, 9, 5]) void hints.add(comment(1, id));
  for (let i = 0; i < 4; i++) {
    await settled();
    await end(...open.keys());
  }
  expect(calls).toEqual(['comment 1/5', 'comment 1/3', 'comment 1/9']);
});

it('tries a call again that failed for an outage, holds up nobody meanwhile, and gives up in the end', async () => {
  const hints = queue(1);
  const failing = hints.add(pull(1));
  const outage = () => new SlipwayError('FORGE_UNAVAILABLE', 'the forge does not answer');
  await settled();
  open.get('pull 1')?.fail(outage());
  await hints.add(pull(2)).then.call(Promise.resolve(), () => undefined);
  await settled();
  await end('pull 2');
  expect(calls).toContain('pull 2');
  for (let tries = 0; tries < 60 && calls.filter((it) => it === 'pull 1').length < 4; tries++) {
    open.get('pull 1')?.fail(outage());
    await settled();
  }
  open.get('pull 1')?.fail(outage());
  await expect(failing).rejects.toMatchObject({ code: 'FORGE_UNAVAILABLE' });
  expect(calls.filter((it) => it === 'pull 1')).toHaveLength(4);
  void hints.add(pull(1));
  await settled();
  expect(calls.filter((it) => it === 'pull 1')).toHaveLength(5);
});

it('does not repeat a bug, and goes on after it', async () => {
  const hints = queue(1);
  const first = hints.add(pull(1));
  await settled();
  const second = hints.add(pull(1));
  open.get('pull 1')?.fail(new Error('a bug'));
  await expect(first).rejects.toThrow('a bug');
  await settled();
  await end('pull 1');
  await second;
  expect(calls).toHaveLength(2);
});

it('lets those who wait know that it has ended', async () => {
  const hints = queue(1);
  const waiting = [hints.add(pull(1)), hints.add(pull(2)), hints.add(comment(1, 1)), hints.add(comment(1, 2))];
  await settled();
  stop.abort();
  for (const { fail } of open.values()) fail(new Error('aborted'));
  expect((await Promise.allSettled(waiting)).map((it) => it.status)).toEqual(Array(4).fill('rejected'));
  await settled();
  expect(hints.size()).toBe(0);
});
