/** Images that open deploys asked for. */
import { expect, it } from 'vitest';
import { createWantedImages } from '../../agent/wanted-images.ts';

const HOUR_MS = 3_600_000;

function setup() {
  const closed: string[] = [];
  let nowMs = 0;
  const journal = { view: () => ({ closed }) } as never;
  const wanted = createWantedImages({ journal, now: () => nowMs });
  return { wanted, closed, pass: (ms: number) => (nowMs += ms) };
}

it('remembers what a deploy asked for until it is closed', () => {
  const { wanted, closed } = setup();
  wanted.add('shop', 'd1', 'a');
  wanted.add('shop', 'd1', 'b');
  wanted.add('shop', 'd2', 'b');
  expect([wanted.list(), wanted.knows('shop', 'd1'), wanted.knows('other', 'd1')]).toEqual([
    ['a', 'b', 'b'],
    true,
    false,
  ]);
  closed.push('d1');
  expect(wanted.list()).toEqual(['b']);
});

it('forgets a deploy whose end never came, but not one that goes on asking', () => {
  const { wanted, pass } = setup();
  wanted.add('shop', 'lost', 'a');
  wanted.add('shop', 'slow', 'b');
  pass(1.5 * HOUR_MS);
  wanted.add('shop', 'slow', 'c');
  pass(HOUR_MS);
  expect(wanted.list()).toEqual(['b', 'c']);
});
