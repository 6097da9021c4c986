/** Checks run side by side: what hangs or breaks is told under its name, and hides nothing else. */
import { expect, it } from 'vitest';
import { examine } from '../../../cli/doctor/examine.ts';
import { ok } from '../../../cli/doctor/finding.ts';

const signal = new AbortController().signal;
const never = () => new Promise<never>(() => {});

it('tells every finding in the order of the table, whichever came first', async () => {
  const later = async (ms: number, name: string) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return [ok(name, '')];
  };
  const checks = { a: () => later(30, 'a'), b: () => later(0, 'b') };
  const found = await examine({ checks, deps: {}, limitMs: 1000, signal });
  expect(found.map((it) => it.name)).toEqual(['a', 'b']);
});

it('gives up a check that hangs at its limit, and reports one that breaks', async () => {
  const checks = {
    hangs: never,
    breaks: () => Promise.reject(new Error('no such thing')),
    works: () => Promise.resolve([ok('works', 'fine')]),
  };
  const found = await examine({ checks, deps: {}, limitMs: 50, signal });
  expect(found.map((it) => `${it.name} ${it.state}: ${it.detail}`)).toEqual([
    'hangs fail: no answer within 0.05 s',
    'breaks fail: no such thing',
    'works ok: fine',
  ]);
});

it('tells a check that its time is over', async () => {
  let told = false;
  const listens = (_: object, limit: AbortSignal) => {
    limit.addEventListener('abort', () => {
      told = true;
    });
    return never();
  };
  await examine({ checks: { listens }, deps: {}, limitMs: 20, signal });
  expect(told).toBe(true);
});
