import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { syncChanged } from '../../store/embedded/sync.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'slipway-sync-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('syncs the files of every depth that were written since, and no others', async () => {
  mkdirSync(join(dir, 'streams', 'LOG', 'msgs'), { recursive: true });
  const fresh = join(dir, 'streams', 'LOG', 'msgs', '1.blk');
  const old = join(dir, 'streams', 'LOG', 'meta.inf');
  for (const path of [fresh, old]) writeFileSync(path, 'x');
  utimesSync(old, 100, 100);
  utimesSync(fresh, 300, 300);
  expect(await syncChanged(dir, 200_000)).toEqual([fresh]);
  expect(await syncChanged(dir, 0)).toEqual([old, fresh]);
  expect(await syncChanged(dir, 400_000)).toEqual([]);
});

it('takes a folder that is not there for an empty one', async () => {
  expect(await syncChanged(join(dir, 'nothing'), 0)).toEqual([]);
});
