/** The disk guard over a disk made of numbers: what it prunes, tells, refuses and tries again. */
import { beforeEach, expect, it } from 'vitest';
import { createDiskGuard, type DiskGuard } from '../../agent/disk-guard.ts';
import type { Pressure } from '../../agent/needed-images.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { silentLogger } from '../../schemas/logger.ts';
import { createFakeEngine, type FakeEngine } from '../fakes/engine.ts';

const MIB = 2 ** 20;

let engine: FakeEngine;
let guard: DiskGuard;
/** Of 1000. */
let freeMib = 0;
let pruned: Pressure[] = [];
let told: string[] = [];
/** What a pruning of each kind frees. */
let frees: Record<Pressure, number>;

beforeEach(() => {
  engine = createFakeEngine();
  [freeMib, pruned, told] = [900, [], []];
  frees = { calm: 0, urgent: 0 };
  guard = createDiskGuard({
    stateDir: '/state',
    engine,
    usage: async (folder) => {
      const bytes = { totalBytes: 1000 * MIB, freeBytes: (folder === '/state' ? 900 : freeMib) * MIB };
      return { ...bytes, totalInodes: 0, freeInodes: 0 };
    },
    prune: async (pressure) => {
      pruned.push(pressure);
      freeMib += frees[pressure];
    },
    tell: (kind) => void told.push(kind),
    log: silentLogger,
  });
});

const noSpace = () => new SlipwayError('DISK_FULL', 'no space left on device');

it('leaves everything alone while there is space', async () => {
  await guard.look();
  expect([pruned, told]).toEqual([[], []]);
  expect(guard.reports().map((it) => `${it.what} ${it.folder} ${it.level}`)).toEqual([
    'docker /var/lib/docker ok',
    'state /state ok',
  ]);
});

it('prunes what nothing needs when little is free, and no more when that was enough', async () => {
  freeMib = 100;
  frees.calm = 200;
  await guard.look();
  expect(pruned).toEqual(['calm']);
  expect(told).toEqual(['disk.low', 'disk.ok']);
});

it('prunes what only a rollback further back needs when that was not enough', async () => {
  freeMib = 100;
  await guard.look();
  expect([pruned, told]).toEqual([['calm', 'urgent'], ['disk.low']]);
  await guard.look();
  expect(told).toEqual(['disk.low']);
});

it('lets no pull begin on a full disk, and says which folder, how much is free, and what to do', async () => {
  freeMib = 40;
  let pulls = 0;
  const refused = guard.withRoom('shop/web:2', async () => void (pulls += 1));
  await expect(refused).rejects.toMatchObject({
    code: 'DISK_FULL',
    retry: 'wait',
    message: expect.stringMatching(
      /^shop\/web:2 was not pulled: there is no space in \/var\/lib\/docker \(40\.0 MiB of 1000\.0 MiB free\).*docker system df/,
    ),
    details: { folder: '/var/lib/docker', freeBytes: 40 * MIB },
  });
  expect([pulls, told]).toEqual([0, ['disk.full']]);
});

it('pulls on a disk that was full when pruning made room', async () => {
  freeMib = 40;
  frees.urgent = 300;
  let pulls = 0;
  await guard.withRoom('x', async () => void (pulls += 1));
  expect(pulls).toBe(1);
});

it('tries a pull that filled the disk once more after pruning, then gives up', async () => {
  let pulls = 0;
  await guard.withRoom('x', async () => {
    pulls += 1;
    if (pulls === 1) throw noSpace();
  });
  expect([pulls, pruned]).toEqual([2, ['urgent']]);
  const never = guard.withRoom('x', async () => {
    throw noSpace();
  });
  await expect(never).rejects.toMatchObject({ code: 'DISK_FULL', details: { folder: '/var/lib/docker' } });
});

it('passes on any other failure of a pull as it is', async () => {
  const failed = guard.withRoom('x', async () => {
    throw new SlipwayError('IMAGE_NOT_FOUND', 'no registry has it');
  });
  await expect(failed).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  expect(pruned).toEqual([]);
});

it('knows where the folder of Docker is while Docker is away', async () => {
  await guard.look();
  engine.goAway();
  freeMib = 40;
  await guard.look();
  expect(guard.reports()[0]).toMatchObject({ what: 'docker', level: 'full' });
});
